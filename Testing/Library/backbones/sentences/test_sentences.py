import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize

from DiffusionSegLib.backbones.latent_diffusion.libraries import quiet_loading
from DiffusionSegLib.backbones.sentences.opening import open_sentences
from DiffusionSegLib.errors import ModelError, PromptError
from Testing.Library.backbones.sentences.tiny_texts import (
    LENGTH,
    WORDS,
    save_bert,
    save_clip,
    save_open_clip,
    weights_of,
)

transformers = pytest.importorskip("transformers", reason="transformers is of the test extra")

TEXTS = ["a normal CT of liver", "an abnormal image", "tumor", "a normal ct of lung tumor of liver"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("texts")
    bert, old = save_bert(place / "bert"), save_bert(place / "old", binary=True)
    parts = {"bert": bert, "old": old, "clip": save_clip(place / "clip")}
    return place, parts | {"open_clip": save_open_clip(place / "open_clip")}


SETTINGS = {
    "minilm": {"kind": "minilm"},
    "bert": {"kind": "transformers", "source": "bert"},
    "mean": {"kind": "transformers", "source": "bert", "pooling": "mean"},
    "old": {"kind": "transformers", "source": "old"},
    "clip": {"kind": "clip", "source": "clip"},
    "open_clip": {"kind": "open_clip", "source": "open_clip"},
}
WIDTHS = {"minilm": 384, "bert": 32, "mean": 32, "old": 32, "clip": 10, "open_clip": 12}


def opened(made, name, **changes):
    return open_sentences({**SETTINGS[name], **changes}, made[0])


def numbers(text):
    """By hand: words, start and end."""
    known = [WORDS.index(word) if word in WORDS else 1 for word in text.lower().split()]
    return torch.tensor([[2, *known, 3]])


@pytest.mark.parametrize("name", SETTINGS)
def test_vectors_are_of_length_one_and_do_not_depend_on_the_batch(made, name):
    encoder = opened(made, name)
    texts = ["abc", "a", "xyz abc"] if name == "clip" else TEXTS
    found = encoder.embed(texts)
    assert found.shape == (len(texts), WIDTHS[name]) and encoder.width == WIDTHS[name]
    assert found.dtype == torch.float32 and not found.requires_grad
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(texts)))
    alone = torch.cat([encoder.embed([text]) for text in texts])
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-4)
    assert (found[0] - found[1]).abs().max() > 1e-3
    assert encoder.embed([]).shape == (0, WIDTHS[name])
    assert len(encoder.weights_sha256) == 64
    assert not any(one.requires_grad for one in encoder.network.parameters())


@pytest.mark.parametrize("name", ["bert", "old"])
def test_the_start_tokens_state_is_the_sentence(made, name):
    """Weights in safetensors, or in a pickle with the names of BERT's first years."""
    states = made[1][name](numbers(TEXTS[0])).last_hidden_state
    expected = normalize(states[:, 0], dim=-1)
    torch.testing.assert_close(opened(made, name).embed(TEXTS[:1]), expected)


def test_the_mean_is_over_all_tokens(made):
    states = made[1]["bert"](numbers(TEXTS[2])).last_hidden_state
    expected = normalize(states.mean(1), dim=-1)
    torch.testing.assert_close(opened(made, "mean").embed(TEXTS)[2:3], expected, atol=1e-5, rtol=0)


def test_clip_gives_its_projected_text(made):
    encoder = opened(made, "clip")
    given = torch.tensor([[52, 0, 1, 28, 53]])  # start, a, b, c at the end of a word, end
    found = made[1]["clip"].get_text_features(input_ids=given)
    expected = found if isinstance(found, torch.Tensor) else found.pooler_output
    torch.testing.assert_close(encoder.embed(["abc"]), normalize(expected, dim=-1))
    assert not hasattr(encoder.network, "vision_model")


def test_open_clip_projects_the_start_token(made):
    body, projection = made[1]["open_clip"]
    states = body(numbers(TEXTS[0])).last_hidden_state
    expected = normalize(projection(states[:, 0]), dim=-1)
    torch.testing.assert_close(opened(made, "open_clip").embed(TEXTS)[:1], expected, atol=1e-5,
                               rtol=1e-4)  # fmt: skip


def test_more_texts_than_are_computed_at_once(made):
    encoder = opened(made, "bert")
    many = [" ".join(["tumor"] * (1 + number % 7)) for number in range(150)]
    found = encoder.embed(many)
    assert found.shape == (150, 32)
    torch.testing.assert_close(found[142], encoder.embed(many[142:143])[0], atol=1e-5, rtol=0)


def test_sentences_of_one_meaning_are_near_each_other():
    """What MiniLM is known for; a wrong pooling or file would not do it."""
    found = open_sentences({"kind": "minilm"}).embed([
        "A CT scan of a liver tumor", "computed tomography showing a hepatic mass",
        "A normal CT of the brain", "a bowl of tomato soup",
    ])  # fmt: skip
    near = found @ found.T
    assert near[0, 1] > near[0, 2] > near[0, 3] + 0.2


@pytest.mark.parametrize("name", ["bert", "open_clip"])
def test_too_long_texts_are_refused_not_cut(made, name):
    encoder = opened(made, name)
    most = {"bert": LENGTH, "open_clip": 10}[name] - 2
    assert encoder.embed(["lung " * most]).shape[0] == 1
    with pytest.raises(PromptError, match=r"nothing was cut.*lung"):
        encoder.embed(["lung", "lung " * (most + 1)])


def test_one_text_is_no_list_of_letters(made):
    with pytest.raises(TypeError, match="several texts"):
        opened(made, "bert").embed("tumor")


@pytest.mark.parametrize("name", ["minilm", "bert", "clip"])
def test_nothing_is_written_while_it_opens(made, name, capfd):
    opened(made, name)
    told = capfd.readouterr()
    assert told.err == "" and told.out == ""


@pytest.mark.parametrize("shown", [True, False])
def test_afterwards_transformers_speaks_as_before(shown):
    told = transformers.utils.logging
    before = told.is_progress_bar_enabled(), told.get_verbosity()
    try:
        (told.enable_progress_bar if shown else told.disable_progress_bar)()
        told.set_verbosity_info()
        with pytest.raises(KeyError), quiet_loading():
            assert not told.is_progress_bar_enabled()
            raise KeyError
        assert told.is_progress_bar_enabled() == shown
        assert told.get_verbosity() == told.INFO
    finally:
        (told.enable_progress_bar if before[0] else told.disable_progress_bar)()
        told.set_verbosity(before[1])


def copied(made, tmp_path, name):
    return Path(shutil.copytree(made[0] / name, tmp_path / name))


@pytest.mark.parametrize("kind", [None, "bert", 5])
def test_an_unknown_kind_is_named(kind):
    with pytest.raises(ModelError, match=r"kind .*clip, minilm, open_clip, transformers"):
        open_sentences({"kind": kind})


@pytest.mark.parametrize("source", [None, "", 7])
def test_a_source_is_needed(source):
    with pytest.raises(ModelError, match="needs a 'source'"):
        open_sentences({"kind": "clip", "source": source})


def test_a_folder_that_is_none_is_named():
    with pytest.raises(ModelError, match="no model folder"):
        open_sentences({"kind": "transformers", "source": "no/such/folder"})


def test_an_unknown_pooling_is_named(made):
    with pytest.raises(ModelError, match=r"cls, mean, not 'max'"):
        opened(made, "bert", pooling="max")


@pytest.mark.parametrize(
    ("name", "gone", "said"),
    [
        ("bert", "model.safetensors", "has no weights"),
        ("bert", "vocab.txt", "has no tokenizer"),
        ("bert", "config.json", "cannot be opened"),
        ("clip", "model.safetensors", "has no weights"),
        ("open_clip", "open_clip_pytorch_model.bin", "has no weights"),
        ("open_clip", "open_clip_config.json", "cannot be read as JSON"),
    ],
)
def test_a_missing_file_is_told(made, tmp_path, name, gone, said):
    folder = copied(made, tmp_path, name)
    (folder / gone).unlink()
    for extra in ("tokenizer.json", "tokenizer_config.json"):
        if gone == "vocab.txt":
            (folder / extra).unlink(missing_ok=True)
    with pytest.raises(ModelError, match=said):
        open_sentences(SETTINGS[name], tmp_path)


def test_damaged_weights_are_told(made, tmp_path):
    folder = copied(made, tmp_path, "bert")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(ModelError, match="damaged"):
        open_sentences(SETTINGS["bert"], tmp_path)


def test_weights_that_lack_a_layer_are_refused(made, tmp_path):
    folder = copied(made, tmp_path, "bert")
    weights = weights_of(folder)
    del weights["bert.encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lack encoder\.layer\.1\.output\.dense\.weight and 0"):
        open_sentences(SETTINGS["bert"], tmp_path)


def test_weights_of_another_width_are_refused(made, tmp_path):
    folder = copied(made, tmp_path, "bert")
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**told, "intermediate_size": 48}))
    with pytest.raises(ModelError, match=r"text encoder|another shape"):
        open_sentences(SETTINGS["bert"], tmp_path)


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("was_run"),))


def test_code_in_a_pickle_is_not_run(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = copied(made, tmp_path, "old")
    torch.save({"bert.a": torch.ones(1), "b": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="nothing in it was run"):
        open_sentences(SETTINGS["old"], tmp_path)
    assert not (tmp_path / "was_run").exists()


def test_code_that_comes_with_a_model_is_not_run(made, tmp_path):
    folder = copied(made, tmp_path, "bert")
    told = json.loads((folder / "config.json").read_text())
    own = {"model_type": "own", "auto_map": {"AutoConfig": "code.Own", "AutoModel": "code.Model"}}
    (folder / "config.json").write_text(json.dumps(told | own))
    (folder / "code.py").write_text("raise SystemExit('was run')\n")
    with pytest.raises(ModelError, match="need code of their own are not run"):
        open_sentences(SETTINGS["bert"], tmp_path)


def test_a_bert_is_no_clip(made):
    with pytest.raises(ModelError, match=r"is a bert, not a clip; .*'transformers'"):
        opened(made, "bert", kind="clip")


@pytest.mark.parametrize(
    ("change", "said"),
    [({"hf_pooler_type": "max_pooler"}, "known pooler"), (None, "describes no text tower")],
)
def test_other_towers_of_open_clip_are_refused(made, tmp_path, change, said):
    folder = copied(made, tmp_path, "open_clip")
    told = json.loads((folder / "open_clip_config.json").read_text())
    text = None if change is None else told["model_cfg"]["text_cfg"] | change
    told["model_cfg"]["text_cfg"] = text
    (folder / "open_clip_config.json").write_text(json.dumps(told))
    with pytest.raises(ModelError, match=said):
        open_sentences(SETTINGS["open_clip"], tmp_path)


@pytest.mark.parametrize(
    ("start", "said"), [("text.transformer.emb", "no text tower"), ("text.proj", "no known projec")]
)
def test_weights_without_a_text_tower_are_refused(made, tmp_path, start, said):
    folder = copied(made, tmp_path, "open_clip")
    file = folder / "open_clip_pytorch_model.bin"
    weights = torch.load(file, weights_only=True)
    torch.save({name: one for name, one in weights.items() if not name.startswith(start)}, file)
    with pytest.raises(ModelError, match=said):
        open_sentences(SETTINGS["open_clip"], tmp_path)


def test_the_tower_may_be_opened_as_a_transformer_alone(made, tmp_path):
    """BiomedCLIP's PubMedBERT without its projection, saved by itself."""
    body = made[1]["open_clip"][0]
    body.save_pretrained(tmp_path / "tower")
    shutil.copy(made[0] / "open_clip" / "vocab.txt", tmp_path / "tower")
    encoder = open_sentences({"kind": "transformers", "source": "tower"}, tmp_path)
    expected = normalize(body(numbers(TEXTS[0])).last_hidden_state[:, 0], dim=-1)
    torch.testing.assert_close(encoder.embed(TEXTS[:1]), expected)


def test_heads_of_a_published_bert_are_64_wide(made, tmp_path):
    save_open_clip(tmp_path / "wide", heads=None)
    network = open_sentences({"kind": "open_clip", "source": "wide"}, tmp_path).network
    assert network.config.num_attention_heads == 1  # 32 is less than one head
