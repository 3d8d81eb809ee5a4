import json
import shutil

import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.pipeline import open_pipeline
from DiffusionSegLib.errors import PromptError
from Testing.Library.backbones.latent_diffusion.tiny import TEXT_LENGTH


@pytest.fixture(scope="module")
def pipeline(pipeline_folder):
    return open_pipeline(pipeline_folder)


def test_states_are_the_text_encoder_s(pipeline, pipeline_folder):
    from transformers import CLIPTextModel, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(pipeline_folder / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(pipeline_folder / "text_encoder").eval()
    for text in ("", "red cat"):
        told = tokenizer(text, padding="max_length", max_length=TEXT_LENGTH, return_tensors="pt")
        with torch.no_grad():
            wanted = encoder(told.input_ids)[0]
        found = pipeline.embed_text(text)
        assert torch.allclose(found.states, wanted, atol=1e-6)
        assert found.states.shape == (1, TEXT_LENGTH, 16)
        assert len(found.tokens) == len(found.spans) == TEXT_LENGTH


def test_tokens_of_words(pipeline):
    found = pipeline.embed_text("a cat, a Cat")
    assert "".join(found.tokens[n] for n in found.tokens_of("cat")) == "cat</w>cat</w>"
    assert found.tokens_of("a cat")[0] == 1 and len(found.tokens_of("a cat")) == 8
    assert found.tokens_of("dog") == found.tokens_of("") == found.tokens_of(" ") == ()
    assert pipeline.embed_text("").tokens_of("cat") == ()


def test_a_text_that_is_too_long_is_refused_and_not_cut(pipeline):
    assert len(pipeline.embed_text("a" * (TEXT_LENGTH - 2)).tokens) == TEXT_LENGTH
    with pytest.raises(PromptError, match=rf"has 13 tokens and the model reads {TEXT_LENGTH}"):
        pipeline.embed_text("a" * (TEXT_LENGTH - 1))


def test_the_text_tower_of_a_chest_x_ray_model_is_read_without_running_its_code(
    pipeline_folder, tmp_path
):
    """As CXR-BERT is stored: a BERT with a type of its own that asks for code from elsewhere."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = shutil.copytree(pipeline_folder, tmp_path / "model")
    for part in ("text_encoder", "tokenizer"):
        shutil.rmtree(folder / part)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "left", "effusion", "##s"]
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(folder / "tokenizer" / "vocab.txt"), model_max_length=9).save_pretrained(
        folder / "tokenizer"
    )
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=9,
    )  # fmt: skip
    encoder = BertModel(config).eval()
    encoder.save_pretrained(folder / "text_encoder")
    file = folder / "text_encoder" / "config.json"
    own = {"model_type": "cxr-bert", "auto_map": {"AutoModel": "elsewhere.Model"}}
    file.write_text(json.dumps({**json.loads(file.read_text()), **own}))
    found = open_pipeline(folder).embed_text("Left effusions")
    assert found.tokens[:6] == ("[CLS]", "left", "effusion", "##s", "[SEP]", "[PAD]")
    assert found.tokens_of("effusions") == (2, 3) and found.states.shape == (1, 9, 16)
