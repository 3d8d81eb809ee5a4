"""Opens a MAISI model by the settings of a card."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from DiffusionSegLib.backbones.latent_diffusion.hub import find_model
from DiffusionSegLib.backbones.maisi.autoencoder import MaisiAutoencoder, Windows
from DiffusionSegLib.backbones.maisi.files import copies
from DiffusionSegLib.backbones.maisi.model import Maisi
from DiffusionSegLib.backbones.maisi.networks import (
    SCALE,
    build_autoencoder,
    build_denoiser,
    fill,
    read_stored,
)
from DiffusionSegLib.backbones.maisi.variants import HubFile, Variant, find_variant
from DiffusionSegLib.backbones.store import ModelStore, file_sha256
from DiffusionSegLib.compute.device import (
    has_own_memory,
    memory_errors_explained,
    prefers_float16,
)
from DiffusionSegLib.errors import ModelError

__all__ = ["open_maisi"]

_KNOWN = {
    "kind", "variant", "source", "autoencoder", "denoiser", "config", "guidance", "scale_factor",
    "num_splits", "encode_window", "decode_window", "overlap",
}  # fmt: skip
_WINDOW_MULTIPLE = 16  # of the encoder's windows, as published


def open_maisi(
    settings: Mapping[str, Any], device: str, store: ModelStore, folder: Path | None
) -> Maisi:
    """The networks of ``settings``, frozen; in half precision on an NVIDIA GPU, else in float32.

    settings: {"kind": "maisi", "variant": "ddpm-ct", "rflow-ct", "rflow-mr" or "rflow-mr-brain"}
    and, where the published does not hold: "source": a folder or hub id with the denoiser's file
    and, for a folder, the autoencoder's; "denoiser": the file in it; "autoencoder": a file, or
    {"source", "file"}; "config": smaller networks, see Variant.changed; "guidance"; "scale_factor",
    when the denoiser's file has none; "encode_window", "decode_window" (slices, rows, columns),
    "overlap" and "num_splits", see Windows and AutoencoderConfig. Files are .safetensors or .pt, in
    the folder or in its models/. folder: the card's own, in which relative paths start.
    Raises ModelError for what is missing, damaged or of other networks.
    """
    unknown = sorted(set(settings) - _KNOWN)
    if unknown:
        raise ModelError(
            f"The settings of a MAISI model have no {', '.join(map(repr, unknown))}; known are "
            f"{', '.join(sorted(_KNOWN))}."
        )
    variant = find_variant(settings.get("variant")).changed(settings.get("config") or {})
    windows = _windows(settings)
    pieces = _pieces(settings, variant, device)
    guidance = _guidance(settings)
    dtype = torch.float16 if prefers_float16(device) else torch.float32
    denoiser_file, autoencoder_file = _files(settings, variant, folder)
    with memory_errors_explained(f"the model MAISI {variant.name}"):
        stored = read_stored(denoiser_file)
        scale = _scale(settings, stored.scale, denoiser_file)
        denoiser = build_denoiser(variant.denoiser, variant.autoencoder.latent_channels)
        fill(denoiser, stored, dtype, f"the denoiser in {denoiser_file}")
        autoencoder = build_autoencoder(variant.autoencoder, dtype)
        stored = read_stored(autoencoder_file)
        fill(autoencoder, stored, dtype, f"the autoencoder in {autoencoder_file}")
        parts = MaisiAutoencoder(
            autoencoder.to(device), variant.autoencoder, scale, windows, pieces
        )
        sha256 = _joint_sha256((denoiser_file, autoencoder_file))
        return Maisi(variant, parts, denoiser.to(device), guidance, sha256)


def _files(settings: Mapping[str, Any], variant: Variant, folder: Path | None) -> tuple[Path, Path]:
    """The denoiser's and the autoencoder's; the first decides before gigabytes are fetched."""
    source = settings.get("source")
    denoiser = HubFile(
        _text(source, "source", variant.denoiser_file.source),
        _text(settings.get("denoiser"), "denoiser", variant.denoiser_file.path),
    )
    told = settings.get("autoencoder")
    published = variant.autoencoder_file
    # A folder has both; the hub keeps an autoencoder where it was published first.
    usual = denoiser.source if _local(denoiser.source, folder) else published.source
    if isinstance(told, Mapping):
        autoencoder = HubFile(
            _text(told.get("source"), "autoencoder's source", usual),
            _text(told.get("file"), "autoencoder's file", published.path),
        )
    else:
        autoencoder = HubFile(usual, _text(told, "autoencoder", published.path))
    return _find(denoiser, folder), _find(autoencoder, folder)


def _text(value: Any, name: str, default: str) -> str:
    if value is None:
        return default
    if not isinstance(value, str) or not value.strip():
        raise ModelError(
            f"The {name} in the settings of a MAISI model must be a text, not {value!r}."
        )
    return value


def _local(source: str, folder: Path | None) -> Path | None:
    """A folder beside the card goes before one in the working folder and before the hub."""
    own = Path(source).expanduser()
    beside = None if folder is None else folder / own
    return next((one for one in (beside, own) if one is not None and one.is_dir()), None)


def _find(wanted: HubFile, folder: Path | None) -> Path:
    """The file itself; raises ModelError that names the places looked at."""
    names = copies(wanted.path)

    def choose(there: Sequence[str], prefer_half: bool) -> list[str]:
        return [name for name in names if name in there][:1]

    place = _local(wanted.source, folder) or find_model(wanted.source, choose=choose)
    for name in names:
        if (place / name).is_file():
            return place / name
    raise ModelError(
        f"The weights {wanted.path} of the MAISI model are not in {place} (looked for "
        f"{', '.join(names)}); download them from {wanted.source} or correct the settings."
    )


def _scale(settings: Mapping[str, Any], stored: float | None, file: Path) -> float:
    scale = settings.get("scale_factor", stored)
    if not _is_number(scale) or not 0 < scale < math.inf:
        raise ModelError(
            f"The weights {file} come with no usable {SCALE} ({scale!r}); it is a number above 0 "
            f"that belongs to them. Take the published file, or give {SCALE!r} in the settings."
        )
    return float(scale)


def _guidance(settings: Mapping[str, Any]) -> float | None:
    guidance = settings.get("guidance")
    if guidance is not None and not (_is_number(guidance) and 0 <= guidance < math.inf):
        raise ModelError(
            f"The guidance of a MAISI model must be a number from 0 up, not {guidance!r}; 1 is "
            "without."
        )
    return None if guidance is None else float(guidance)


def _pieces(settings: Mapping[str, Any], variant: Variant, device: str) -> int:
    """Only a GPU's memory is that scarce."""
    usual = variant.autoencoder.splits if has_own_memory(device) else 1
    pieces = settings.get("num_splits", usual)
    if not isinstance(pieces, int) or isinstance(pieces, bool) or not 1 <= pieces <= 64:
        raise ModelError(f"The num_splits of a MAISI model must be from 1 to 64, not {pieces!r}.")
    return pieces


def _windows(settings: Mapping[str, Any]) -> Windows:
    """Settings are of arrays, slices first; the networks count x first."""
    usual = Windows()
    overlap = settings.get("overlap", usual.overlap)
    if not _is_number(overlap) or not 0 <= overlap < 0.95:
        raise ModelError(f"The overlap of windows lies in [0, 0.95), not {overlap!r}.")
    return Windows(
        _window(settings, "encode_window", usual.encode, _WINDOW_MULTIPLE),
        _window(settings, "decode_window", usual.decode, 4),
        float(overlap),
    )


def _window(
    settings: Mapping[str, Any], name: str, usual: tuple[int, int, int], multiple: int
) -> tuple[int, int, int]:
    given = settings.get(name)
    if given is None:
        return usual
    sides = tuple(given) if isinstance(given, list | tuple) else ()
    whole = [side for side in sides if isinstance(side, int) and side > 0 and side % multiple == 0]
    if len(sides) != 3 or len(whole) != 3:
        raise ModelError(
            f"The {name} of a MAISI model is three multiples of {multiple} (slices, rows, "
            f"columns), not {given!r}."
        )
    return whole[2], whole[1], whole[0]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _joint_sha256(files: Sequence[Path]) -> str:
    """Of the files' sha256, one behind the other: one number for both."""
    return hashlib.sha256("".join(file_sha256(file) for file in files).encode()).hexdigest()
