"""Where MAISI's published models lie on the Hugging Face hub, and under which names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PUBLISHED", "HubFile", "copies"]


@dataclass(frozen=True)
class HubFile:
    """source: the repository on the Hugging Face hub; path: in it."""

    source: str
    path: str


_CT, _MR, _BRAIN = (f"nvidia/NV-Generate-{name}" for name in ("CT", "MR", "MR-Brain"))
_FIRST = HubFile(_CT, "models/autoencoder_v1.pt")
_SECOND = HubFile(_MR, "models/autoencoder_v2.pt")

# Of each variant the autoencoder's and the denoiser's.
PUBLISHED: Mapping[str, tuple[HubFile, HubFile]] = {
    "ddpm-ct": (_FIRST, HubFile(_CT, "models/diff_unet_3d_ddpm-ct.pt")),
    "rflow-ct": (_FIRST, HubFile(_CT, "models/diff_unet_3d_rflow-ct.pt")),
    "rflow-mr": (_SECOND, HubFile(_MR, "models/diff_unet_3d_rflow-mr.pt")),
    "rflow-mr-brain": (_FIRST, HubFile(_BRAIN, "models/diff_unet_3d_rflow-mr-brain_v1.pt")),
}


def copies(path: str) -> list[str]:
    """Names under which the file may be there, the safest format first."""
    own = Path(path)
    stems = dict.fromkeys((own.with_suffix(""), Path(own.stem)))
    endings = dict.fromkeys((".safetensors", ".pt", own.suffix or ".pt"))
    return [f"{stem.as_posix()}{ending}" for stem in stems for ending in endings]
