"""How a slice's intensities become the picture that a diffusion model is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.image import Image

__all__ = ["WINDOWS", "IntensityWindow", "choose_window"]

Floats = NDArray[np.float32]

# Center and width in Hounsfield units, as radiologists set them.
_CT_WINDOWS = {
    "soft tissue": (40.0, 400.0),
    "lung": (-600.0, 1500.0),
    "bone": (480.0, 2500.0),
    "brain": (40.0, 80.0),
}
WINDOWS = ("auto", "percentiles", *_CT_WINDOWS)
_AIR_HU = -500.0
_PERCENTILES = (0.5, 99.5)
_MOST_SAMPLED = 2_000_000


@dataclass(frozen=True)
class IntensityWindow:
    """low and high become 0 and 1. name: what was decided, for the provenance."""

    name: str
    low: float
    high: float

    def picture(self, slice_cji: NDArray[Any]) -> Floats:
        """(rows, columns, 3) in [0, 1] of (channels, rows, columns): three channels are red, green
        and blue, of any other number the first is shown in gray."""
        chosen = slice_cji if len(slice_cji) == 3 else np.repeat(slice_cji[:1], 3, axis=0)
        scaled = (chosen.astype(np.float32) - self.low) / max(self.high - self.low, 1e-6)
        return np.ascontiguousarray(np.clip(scaled, 0.0, 1.0).transpose(1, 2, 0))


def choose_window(image: Image, choice: str = "auto") -> IntensityWindow:
    """By the image's own values: 8-bit pictures as they are, CT (below -500 somewhere) as soft
    tissue, anything else, such as MR, between the percentiles 0.5 and 99.5."""
    if choice in _CT_WINDOWS:
        return _hounsfield(choice)
    if choice == "auto" and image.array.dtype == np.uint8:
        return IntensityWindow("as stored", 0.0, 255.0)
    sample = _sample(image)
    if choice == "auto" and not image.is_rgb and float(sample.min()) < _AIR_HU:
        return _hounsfield("soft tissue")
    low, high = np.percentile(sample, _PERCENTILES)
    return IntensityWindow("percentiles", float(low), float(max(high, low + 1e-6)))


def _hounsfield(name: str) -> IntensityWindow:
    center, width = _CT_WINDOWS[name]
    return IntensityWindow(name, center - width / 2, center + width / 2)


def _sample(image: Image) -> NDArray[Any]:
    values = image.array if image.is_rgb else image.array[0]
    flat = values.reshape(-1)
    return np.asarray(flat[:: max(1, flat.size // _MOST_SAMPLED)])
