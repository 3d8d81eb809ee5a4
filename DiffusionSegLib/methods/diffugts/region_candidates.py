"""Regions of a slice that might be the abnormal one: what hangs together between two shades.

Our choice. An attention map tells roughly where, at the resolution of an encoder's places; where a
tumor ends is told by the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["BODY", "CandidateSettings", "region_candidates"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

BODY = 0.06  # darker is air
_FEWEST_BODY_PIXELS = 50
_SAME_SIZE, _SAME_PLACE = 0.04, 3.0  # relative, pixels: nearer than that counts as known


@dataclass(frozen=True)
class CandidateSettings:
    """widths: of the Gaussians that the slice is smoothed with, in pixels. shades: thresholds, as
    quantiles of the body's shades. smallest, largest: share of the slice's pixels."""

    widths: tuple[float, ...] = (1.0, 2.0)
    shades: int = 14
    smallest: float = 0.0025
    largest: float = 0.4


def region_candidates(slice_: Floats, settings: CandidateSettings | None = None) -> Bools:
    """(n, rows, columns) of a slice (rows, columns) in [0, 1]; n may be 0. Holes are filled."""
    settings = settings or CandidateSettings()
    found: list[Bools] = []
    known: set[tuple[int, int, int]] = set()
    for width in settings.widths:
        smooth = ndimage.gaussian_filter(slice_, width)
        for mask in _between_shades(smooth, settings.shades):
            for part, size, middle in _parts(mask, settings):
                key = _signature(size, middle)
                if key not in known:
                    known.add(key)
                    found.append(part)
    return np.stack(found) if found else np.zeros((0, *slice_.shape), dtype=bool)


def _between_shades(smooth: Floats, count: int) -> Iterator[Bools]:
    """Brighter than each shade, darker than each, and bands of several widths."""
    body = smooth > BODY
    if int(body.sum()) < _FEWEST_BODY_PIXELS:
        return
    shades = np.unique(np.quantile(smooth[body], np.linspace(0.04, 0.97, count)))
    for shade in shades:
        yield smooth > shade
        yield (smooth < shade) & body
    for low in range(0, len(shades) - 2, 2):
        for high in range(low + 3, len(shades), 3):
            yield (smooth > shades[low]) & (smooth <= shades[high])


def _parts(
    mask: Bools, settings: CandidateSettings
) -> Iterator[tuple[Bools, int, tuple[float, float]]]:
    """Connected parts, their size and their middle."""
    labels, count = ndimage.label(ndimage.binary_opening(mask))
    if not count:
        return
    sizes = np.bincount(labels.reshape(-1))
    wanted = (sizes >= settings.smallest * mask.size) & (sizes <= settings.largest * mask.size)
    wanted[0] = False
    numbers = np.flatnonzero(wanted)
    middles = ndimage.center_of_mass(mask, labels, numbers) if len(numbers) else []
    boxes = ndimage.find_objects(labels)
    for number, middle in zip(numbers, middles, strict=True):
        whole, box = np.zeros(mask.shape, dtype=bool), boxes[number - 1]
        whole[box] = ndimage.binary_fill_holes(labels[box] == number)
        yield whole, int(sizes[number]), middle


def _signature(size: int, middle: tuple[float, float]) -> tuple[int, int, int]:
    step = max(3, int(size * _SAME_SIZE))
    return size // step, int(middle[0] // _SAME_PLACE), int(middle[1] // _SAME_PLACE)
