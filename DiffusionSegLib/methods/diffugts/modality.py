"""What kind of scan an image is: told by the user, by its channel's name, or by its values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.nouns.image import Image

__all__ = ["MODALITIES", "Modality", "choose_modality"]

MODALITIES = ("auto", "ct", "mr")
_AIR_HU = -200.0  # CT in Hounsfield units nearly always shows air below this
_FAT_HU = -20.0  # and a part of one without air still shows fat, or noise, below this
_LOWEST_HU = -20_000.0  # padding of scanners is above it; lower is another unit
_MOST_SAMPLED = 2_000_000


@dataclass(frozen=True)
class Modality:
    """name: "ct", "mr" or "" for a picture of unknown kind. hounsfield: whether values are HU.

    remark: a sentence for the user where what was said and the values do not fit, else "".
    """

    name: str
    hounsfield: bool
    remark: str = ""


def choose_modality(image: Image, choice: str = "auto") -> Modality:
    """choice: one of MODALITIES. Nothing is refused: a wrong unit is said and worked around."""
    low, high = _range(image)
    named = choice if choice != "auto" else _named(image)
    below = _FAT_HU if named == "ct" else _AIR_HU
    is_hu = image.array.dtype.kind in "if" and _LOWEST_HU < low < below
    is_picture = image.array.dtype == np.uint8
    if named == "ct" and not (is_hu or is_picture):
        return Modality("ct", False, _not_hounsfield(low, high))
    if named == "mr" and is_hu:
        remark = (
            f"Values from {low:g} to {high:g} look like a CT in Hounsfield units, not like MR; "
            "choose CT if it is one."
        )
        return Modality("mr", False, remark)
    if named:
        return Modality(named, named == "ct" and is_hu)
    if is_hu:
        return Modality("ct", True)
    return Modality("" if is_picture else "mr", False)


def _named(image: Image) -> str:
    name = image.channel_names[0].lower()
    if name.startswith("ct"):
        return "ct"
    return "mr" if name.startswith(("mr", "t1", "t2", "flair")) else ""


def _not_hounsfield(low: float, high: float) -> str:
    return (
        f"This CT is not in Hounsfield units (its values go from {low:g} to {high:g}, and air is "
        f"-1000), or it is no CT; it was read between its own percentiles."
    )


def _range(image: Image) -> tuple[float, float]:
    values = image.array[0].reshape(-1)
    sample = values[:: max(1, values.size // _MOST_SAMPLED)]
    return float(sample.min()), float(sample.max())
