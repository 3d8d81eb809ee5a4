"""The files of a text encoder: which there are, and how they are read without running anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from DiffusionSegLib.backbones.checkpoints import read_checkpoint
from DiffusionSegLib.backbones.latent_diffusion.hub import beside_card, find_model
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module, quiet_loading
from DiffusionSegLib.backbones.latent_diffusion.text import open_tokenizer
from DiffusionSegLib.backbones.sentences.files import WORDS, chooser
from DiffusionSegLib.backbones.weights import read_safetensors
from DiffusionSegLib.errors import ModelError

__all__ = [
    "built_kind", "fill_kind", "find_source", "find_weights", "read_settings", "read_tensors",
    "text_length", "tokenizer_of",
]  # fmt: skip

_VOCABULARIES = WORDS[:3] + WORDS[4:6]
_MOST_TOKENS = 512


def find_source(settings: Mapping[str, Any], folder: Path | None, kind: str) -> Path:
    """The local folder of the settings' "source", a folder or a hub id, of which the files of
    ``kind`` are fetched (see files.py). Raises ModelError."""
    source = settings.get("source")
    if not isinstance(source, str) or not source.strip():
        raise ModelError(
            f"A text encoder of kind {settings.get('kind')!r} needs a 'source' in the model's "
            f"settings, a folder or a hub id; found was {source!r}."
        )

    return find_model(beside_card(source, folder), choose=chooser(kind))


def find_weights(folder: Path, names: Sequence[str]) -> Path:
    """The first of the names that is there; raises ModelError."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(
        f"The text encoder in {folder} has no weights ({' or '.join(names)}); download it again."
    )


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Numbers in float32; .safetensors, or a pickle with nothing but tensors. Raises ModelError."""
    read: Callable[[Path], Mapping[str, Tensor]] = (
        read_safetensors if file.suffix == ".safetensors" else read_checkpoint
    )
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in read(file).items()
    }


def read_settings(folder: Path) -> Any:
    """The transformer's configuration; a model that brings code of its own is refused."""
    library = optional_module("transformers")
    try:
        return library.AutoConfig.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The text encoder in {folder} cannot be opened: {str(error).strip().splitlines()[0]} "
            "Models that need code of their own are not run; use one that transformers knows."
        ) from error


def tokenizer_of(folder: Path, kind: str = "AutoTokenizer") -> Any:
    """The folder's own, by transformers' class ``kind``; raises ModelError."""
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise ModelError(
            f"The text encoder in {folder} has no tokenizer (none of {', '.join(_VOCABULARIES)}); "
            "download it again."
        )
    return open_tokenizer(getattr(optional_module("transformers"), kind), folder)


def fill_kind(
    kind: Any, config: Any, weights: Mapping[str, Tensor], file: Path, **arguments: Any
) -> nn.Module:
    """transformers' class ``kind`` with the weights, frozen; names of older versions are known to
    it. Raises ModelError when some are missing or of another shape; others may be left over."""
    try:
        with quiet_loading():
            network, told = kind.from_pretrained(
                None, config=config, state_dict=dict(weights), output_loading_info=True, **arguments
            )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"The text encoder in {file} cannot be opened: {error}") from error
    missing = sorted({*told["missing_keys"], *(one[0] for one in told["mismatched_keys"])})
    lost = [name for name in missing if not name.startswith("pooler.")]  # which is not used
    if lost:
        raise ModelError(
            f"The weights {file} lack {lost[0]} and {len(lost) - 1} others, or have another shape "
            "of it: they do not belong to the settings beside them. Download the model again."
        )
    frozen: nn.Module = network.float().eval().requires_grad_(False)
    return frozen


def text_length(tokenizer: Any, config: Any) -> int:
    """Tokens that both can take; some tokenizers have no limit of their own."""
    places = int(getattr(config, "max_position_embeddings", _MOST_TOKENS))
    if config.model_type in ("roberta", "xlm-roberta", "camembert"):
        places -= 2  # their first places are never used
    return min(int(tokenizer.model_max_length), places)


def built_kind(config: Any) -> Any:
    """The class of transformers' that the settings are of."""
    library = optional_module("transformers")
    try:
        with torch.device("meta"):
            return type(library.AutoModel.from_config(config, trust_remote_code=False))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"The settings describe no text encoder: {error}") from error
