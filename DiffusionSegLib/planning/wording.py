"""Durations, sizes and devices in words."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["device_words", "duration_words", "joined", "size_words"]


def duration_words(seconds: float) -> str:
    """ "0.4 s", "12 s", "2 min", "1.7 h"."""
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size_words(size: float) -> str:
    """ "37 MB", "2.1 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{max(size / 1e6, 1):.0f} MB"


def device_words(device: str) -> str:
    """A device as a user calls it: "the processor", "the NVIDIA GPU", with its number from the
    second one on."""
    kind, _, index = device.partition(":")
    name = {"cpu": "the processor", "mps": "the Apple GPU", "xpu": "the Intel GPU"}.get(kind)
    if name is None:
        name = "the AMD GPU" if _is_amd() else "the NVIDIA GPU"
    return f"{name} {index}" if index not in ("", "0") else name


def joined(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _is_amd() -> bool:
    torch = sys.modules.get("torch")  # known already where such a device was resolved
    return torch is not None and getattr(torch.version, "hip", None) is not None
