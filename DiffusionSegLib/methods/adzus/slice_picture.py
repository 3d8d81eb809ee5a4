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
_FEWEST_SHADES = 16
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
        # Large values with small differences need more digits than float32 has.
        exact = chosen.astype(np.result_type(chosen.dtype, np.float32))
        scaled = (np.clip(exact, self.low, self.high) - self.low) / (self.high - self.low)
        return np.ascontiguousarray(scaled.transpose(1, 2, 0), dtype=np.float32)


def choose_window(image: Image, choice: str = "auto") -> IntensityWindow:
    """By the image's own values: 8-bit pictures as they are (unless they use fewer than 16 of the
    256 values, as masks do), CT (below -500 somewhere) as soft tissue, anything else, such as MR,
    between the percentiles 0.5 and 99.5. The image holds at least two values."""
    if choice in _CT_WINDOWS:
        return _hounsfield(choice)
    sample = _sample(image)
    if choice == "auto" and image.array.dtype == np.uint8 and np.ptp(sample) >= _FEWEST_SHADES:
        return IntensityWindow("as stored", 0.0, 255.0)
    if choice == "auto" and not image.is_rgb and float(sample.min()) < _AIR_HU:
        return _hounsfield("soft tissue")
    low, high = np.percentile(sample, _PERCENTILES)
    if not low < high:  # nearly all voxels are equal, but embed_image has seen that not all are
        low, high = image.array.min(), image.array.max()
    return IntensityWindow("percentiles", float(low), float(high))


def _hounsfield(name: str) -> IntensityWindow:
    center, width = _CT_WINDOWS[name]
    return IntensityWindow(name, center - width / 2, center + width / 2)


def _sample(image: Image) -> NDArray[Any]:
    values = image.array if image.is_rgb else image.array[0]
    flat = values.reshape(-1)
    sample = np.asarray(flat[:: max(1, flat.size // _MOST_SAMPLED)])
    return sample.view(np.uint8) if sample.dtype == np.bool_ else sample  # percentiles subtract
