"""How a scan's intensities become the numbers in [0, 1] that a backbone was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.modality import Modality
from DiffusionSegLib.nouns.image import Image

__all__ = ["IntensityRange", "IntensityRule"]

_FEWEST_SHADES = 16
_MOST_SAMPLED = 2_000_000


@dataclass(frozen=True)
class IntensityRange:
    """low and high become 0 and 1, with everything outside at these ends; name: for the record."""

    name: str
    low: float
    high: float

    def unit(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Of any shape."""
        exact = values.astype(np.result_type(values.dtype, np.float32))
        scaled = (np.clip(exact, self.low, self.high) - self.low) / (self.high - self.low)
        return np.asarray(scaled, dtype=np.float32)


@dataclass(frozen=True)
class IntensityRule:
    """hounsfield: low and high for CT; percentiles: for everything else but 8-bit pictures."""

    hounsfield: tuple[float, float]
    percentiles: tuple[float, float]

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> IntensityRule:
        """Of a model card; raises ModelError."""
        try:
            (a, b), (c, d) = values["hounsfield"], values["percentiles"]
            rule = IntensityRule((float(a), float(b)), (float(c), float(d)))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The card's intensities are not usable: {error}.") from error
        if not (rule.hounsfield[0] < rule.hounsfield[1] and 0 <= c < d <= 100):
            raise ModelError(f"The card's intensities are not usable: {dict(values)}.")
        return rule

    def range_of(self, image: Image, modality: Modality) -> IntensityRange:
        """The image holds at least two values; an 8-bit picture is taken as it is stored."""
        if modality.hounsfield:
            return IntensityRange("Hounsfield units", *self.hounsfield)
        values = _gray_values(image)
        if image.array.dtype == np.uint8 and np.ptp(values) >= _FEWEST_SHADES:
            return IntensityRange("as stored", 0.0, 255.0)
        low, high = np.percentile(values, self.percentiles)
        if not low < high:  # nearly all voxels are equal
            values = _gray_values(image, image.geometry.voxel_count)
            low, high = float(values.min()), float(values.max())
        return IntensityRange("percentiles", float(low), float(high))


def _gray_values(image: Image, most: int = _MOST_SAMPLED) -> NDArray[Any]:
    """Of some voxels; of a color picture the mean of its channels, as the grid shows it."""
    flat = image.array.reshape(len(image.array), -1)
    sample = flat[:, :: max(1, flat.shape[1] // most)]
    if image.is_rgb:
        return np.asarray(sample.mean(axis=0, dtype=np.float32))
    return sample[0].view(np.uint8) if sample.dtype == np.bool_ else sample[0]
