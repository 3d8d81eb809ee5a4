"""Text encoders in miniature, with random weights, built and saved by the real libraries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from Testing.Library.reference.awake import awake

WORDS = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "an", "normal", "abnormal", "ct", "of",
    "liver", "lung", "tumor", "image",
]  # fmt: skip
LENGTH = 16
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def bert_config(**changes: Any) -> Any:
    from transformers import BertConfig

    told: dict[str, Any] = {
        "vocab_size": len(WORDS), "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": LENGTH,
    }  # fmt: skip
    return BertConfig(**{**told, **changes})


def save_words(folder: Path) -> None:
    """A tokenizer as Bio_ClinicalBERT has it: a list of words and nothing else."""
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")


def save_bert(folder: Path, binary: bool = False) -> Any:
    """With the heads that guess words, as BERT is published. Returns the BERT inside."""
    from transformers import BertForPreTraining

    network: Any = awake(BertForPreTraining(bert_config()))
    network.save_pretrained(folder)
    save_words(folder)
    if binary:
        file = folder / "model.safetensors"
        weights = {**network.state_dict(), "bert.embeddings.position_ids": torch.arange(LENGTH)}
        old = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            ): value
            for name, value in weights.items()
        }
        torch.save(old, folder / "pytorch_model.bin")
        file.unlink()
    return network.bert


def save_clip(folder: Path) -> Any:
    """Both towers. Returns the model."""
    from transformers import CLIPConfig, CLIPModel

    vocabulary = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    numbers = {word: number for number, word in enumerate(vocabulary)}
    numbers |= {"<|startoftext|>": 52, "<|endoftext|>": 53}
    text = {
        "vocab_size": 54, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": LENGTH, "bos_token_id": 52,
        "eos_token_id": 53, "pad_token_id": 53,
    }  # fmt: skip
    image = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "image_size": 8, "patch_size": 4,
    }  # fmt: skip
    config = CLIPConfig(text_config=text, vision_config=image, projection_dim=10)
    network: Any = awake(CLIPModel(config))
    network.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(numbers))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return network


def save_open_clip(folder: Path, heads: int | None = 2) -> tuple[Any, Any]:
    """BiomedCLIP's layout. Returns the BERT and the projection."""
    from transformers import BertModel

    folder.mkdir(exist_ok=True)
    body: Any = awake(BertModel(bert_config(), add_pooling_layer=False))
    projection = torch.nn.Sequential(
        torch.nn.Linear(32, 20, bias=False), torch.nn.GELU(), torch.nn.Linear(20, 12, bias=False)
    )
    awake(projection, 1)
    weights = {f"text.transformer.{name}": value for name, value in body.state_dict().items()}
    weights |= {f"text.proj.{name}": value for name, value in projection.state_dict().items()}
    weights |= {"visual.trunk.cls_token": torch.zeros(1, 1, 8), "logit_scale": torch.tensor(4.6)}
    torch.save(weights, folder / "open_clip_pytorch_model.bin")
    text = {
        "hf_model_name": "some/where", "hf_proj_type": "mlp", "context_length": 10,
        "hf_pooler_type": "cls_last_hidden_state_pooler",
    }  # fmt: skip
    content = {"model_cfg": {"embed_dim": 12, "text_cfg": text}}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    if heads is not None:
        told = {"model_type": "bert", "num_attention_heads": heads}
        (folder / "config.json").write_text(json.dumps(told))
    save_words(folder)
    return body, projection


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(folder / "model.safetensors")
    return found
