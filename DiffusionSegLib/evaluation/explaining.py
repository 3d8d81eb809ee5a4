"""Pictures of what explains a result: anomaly map, pseudo-healthy twin, difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from DiffusionSegLib.evaluation import picture
from DiffusionSegLib.evaluation.slices import Slice, Turned
from DiffusionSegLib.nouns.explaining import Explains, explains
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = ["Explained", "explaining_pictures"]

_FULL_COLOR = 99.0  # percentile of what differs that takes the lightest color
_FRACTION, _SIGNED = "inferno", "difference"


@dataclass(frozen=True)
class Explained:
    """name: as the method calls it. color_map: "" for gray values; low, high: what its ends mean,
    in the image's own units."""

    name: str
    picture: Pillow.Image
    color_map: str = ""
    low: float = 0.0
    high: float = 1.0


def explaining_pictures(
    proposal: Proposal, image: Image, turned: Turned, shown: Slice, longest: int, channel: int = 0
) -> tuple[Explained, ...]:
    """Of each auxiliary image of one channel whose name says what it is (see `explains`), the slice
    that is shown of `image`; channel: the one that a twin is compared with."""
    found = []
    for name, one in proposal.auxiliary.items():
        kind = explains(name)
        if kind is Explains.OTHER or len(one.array) != 1:
            continue
        # Where nothing was drawn anew nothing differs.
        outside = 0.0 if kind is Explains.SIGNED else None
        values = one.resampled(image.geometry, outside=outside).array[0]
        pixels = shown.of(turned.apply(values))
        found.append(_drawn(name, kind, values, pixels, shown, longest, image.array[channel]))
    return tuple(found)


def _drawn(
    name: str,
    kind: Explains,
    values: NDArray[np.generic],
    pixels: NDArray[np.generic],
    shown: Slice,
    longest: int,
    model: NDArray[np.generic],
) -> Explained:
    numbers = np.asarray(pixels, np.float32)
    low, high, color_map = 0.0, 1.0, _FRACTION
    if kind is Explains.TWIN:
        low, high = picture.display_range(model)
        colors, color_map = picture.grey(numbers, (low, high)), ""
    elif kind is Explains.SIGNED:
        high = _reach(values)
        low, color_map = -high, _SIGNED
        colors = picture.colored((numbers / high + 1) / 2, _SIGNED)
    else:
        colors = picture.colored(numbers, _FRACTION)
    drawn = picture.enlarged(colors, shown.spacing_mm, longest)
    return Explained(name, drawn, color_map, low, high)


def _reach(values: NDArray[np.generic]) -> float:
    size = np.abs(np.asarray(values, np.float32))
    size = size[size > 0]
    return float(np.percentile(size, _FULL_COLOR)) if size.size else 1.0
