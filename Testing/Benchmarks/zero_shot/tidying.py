"""What every baseline does with its result: keep the parts that were clicked, fill their holes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.evaluation.clicks import Click
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]


def tidied(
    inside: BoolArray, working: Working, clicks: Sequence[Click], smoothing: float = 0.0
) -> BoolArray:
    """Parts (connected across edges) without an including click go, holes without an excluding
    one are filled. smoothing: first a majority vote, weighted with a Gaussian of this sigma."""
    if smoothing > 0:
        inside = ndimage.gaussian_filter(inside.astype(np.float32), smoothing) >= 0.5
    for click in clicks:
        inside[working.pixel(click)] = click.include
    inside = _parts_at(inside, working, [click for click in clicks if click.include])
    outside = ~inside
    open_holes = _parts_at(outside, working, [click for click in clicks if not click.include])
    return ~(open_holes | _at_border(outside))


def _parts_at(mask: BoolArray, working: Working, clicks: Sequence[Click]) -> BoolArray:
    parts, count = ndimage.label(mask)
    wanted = np.zeros(count + 1, np.bool_)
    wanted[[parts[working.pixel(click)] for click in clicks]] = True
    wanted[0] = False
    kept: BoolArray = wanted[parts]
    return kept


def _at_border(mask: BoolArray) -> BoolArray:
    parts, count = ndimage.label(mask)
    wanted = np.zeros(count + 1, np.bool_)
    for edge in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        wanted[edge] = True
    wanted[0] = False
    kept: BoolArray = wanted[parts]
    return kept
