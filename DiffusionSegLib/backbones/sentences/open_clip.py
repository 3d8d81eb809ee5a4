"""Sentences by the text tower of BiomedCLIP (Zhang et al. 2023), as OpenCLIP stores it.

Its port to transformers needs code of its own, which is never run here; the file that OpenCLIP
published holds a plain BERT (text.transformer), a projection (text.proj), and the image tower.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from DiffusionSegLib.backbones.latent_diffusion.folder import read_json
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.sentences.files import WEIGHTS
from DiffusionSegLib.backbones.sentences.pooled import POOLINGS, PooledSentences
from DiffusionSegLib.backbones.sentences.source import (
    fill_kind,
    find_source,
    find_weights,
    read_tensors,
    tokenizer_of,
)
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.errors import ModelError

__all__ = ["open_open_clip"]

_CONFIG = "open_clip_config.json"
_HEAD = 64  # width of an attention head in every BERT that was published
_BODY, _PROJECTION = "text.transformer.", "text.proj"
# The pooler whose weights lie outside the transformer, and the two that have none.
_POOLERS = {"cls_last_hidden_state_pooler": "cls", "mean_pooler": "mean"}


def open_open_clip(
    settings: Mapping[str, Any], device: str, folder: Path | None
) -> PooledSentences:
    """settings: {"source": a folder or hub id with open_clip_config.json}.

    The BERT's sizes are those of its weights, with heads of 64 as all published BERTs have unless
    a config.json beside it tells otherwise. Raises ModelError.
    """
    place = find_source(settings, folder, "open_clip")
    told = _text_settings(place)
    pooling = _POOLERS.get(str(told.get("hf_pooler_type", told.get("pooler_type"))))
    if pooling is None:
        raise ModelError(
            f"The text tower in {place} is not one of BERT with a known pooler "
            f"({', '.join(_POOLERS)}); of OpenCLIP's models BiomedCLIP can be opened."
        )
    file = find_weights(place, WEIGHTS["open_clip"])
    tensors = read_tensors(file)
    network = _tower(tensors, file, place).to(device)
    projection = _projection(tensors, file).to(device)
    words = tokenizer_of(place, "BertTokenizerFast")
    length = min(int(told.get("context_length", 77)), network.config.max_position_embeddings)

    def pool(output: Any, mask: Tensor) -> Tensor:
        projected: Tensor = projection(POOLINGS[pooling](output, mask))
        return projected

    width = next(reversed(list(projection.parameters()))).shape[0]
    return PooledSentences(
        str(settings["source"]), int(width), file_sha256(file), words, network, pool, length
    )


def _text_settings(place: Path) -> Mapping[str, Any]:
    content = read_json(place / _CONFIG)
    model = content.get("model_cfg") if isinstance(content, dict) else None
    told = model.get("text_cfg") if isinstance(model, dict) else None
    if not isinstance(told, dict):
        raise ModelError(
            f"The file {place / _CONFIG} describes no text tower (model_cfg.text_cfg)."
        )
    return told


def _tower(tensors: Mapping[str, Tensor], file: Path, place: Path) -> Any:
    library = optional_module("transformers")
    own = {name.removeprefix(_BODY): one for name, one in tensors.items() if name.startswith(_BODY)}
    try:
        words, width = own["embeddings.word_embeddings.weight"].shape
        sizes = {
            "vocab_size": words, "hidden_size": width,
            "max_position_embeddings": len(own["embeddings.position_embeddings.weight"]),
            "type_vocab_size": len(own["embeddings.token_type_embeddings.weight"]),
            "intermediate_size": len(own["encoder.layer.0.intermediate.dense.weight"]),
        }  # fmt: skip
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"The weights {file} hold no text tower of BERT ({error}); download it again."
        ) from error
    layers = {name.split(".")[2] for name in own if name.startswith("encoder.layer.")}
    beside = place / "config.json"
    heads = read_json(beside).get("num_attention_heads") if beside.is_file() else None
    config = library.BertConfig(
        **sizes, num_hidden_layers=len(layers), num_attention_heads=heads or max(1, width // _HEAD)
    )
    return fill_kind(library.BertModel, config, own, file, add_pooling_layer=False)


def _projection(tensors: Mapping[str, Tensor], file: Path) -> nn.Module:
    """Two matrices with GELU between them, or one, without bias."""
    names = sorted(name for name in tensors if name.startswith(_PROJECTION))
    known = {(f"{_PROJECTION}.0.weight", f"{_PROJECTION}.2.weight"), (f"{_PROJECTION}.weight",)}
    if tuple(names) not in known:
        raise ModelError(
            f"The weights {file} hold no known projection of texts ({', '.join(names) or 'none'})."
        )
    layers: list[nn.Module] = []
    for name in names:
        layer = nn.Linear(tensors[name].shape[1], tensors[name].shape[0], bias=False)
        layer.weight.data = tensors[name]
        layers += [nn.GELU(), layer] if layers else [layer]
    return nn.Sequential(*layers).eval().requires_grad_(False)
