"""How far every pixel is from a hint, by what the image alone says: a choice of ours.

Attention tells what belongs together on a grid of at most 64 x 64 places; these maps tell it pixel
by pixel. What each of them adds is measured by `Testing/Benchmarks/zero_shot_clicks.py`.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.hints import Hint

__all__ = ["attention_and_space", "color_and_space", "geodesic"]

Floats = NDArray[np.float32]
_SPACE = 80.0  # units of L*a*b* for the picture's long side
_STEPS = 1.5  # ranges of a Markov map for the picture's long side
_USUAL = (0.01, 0.95)  # quantiles
_FLAT = 0.2  # cost of a step where the picture is flat, in units of L*a*b* a pixel
_AROUND = 2  # pixels around a click whose mean color counts


def color_and_space(canvas: Canvas, hint: Hint) -> Floats:
    """(rows, columns): distance in color to the hint, plus the distance in space."""
    wanted = _color_of(canvas, hint)
    far = np.linalg.norm(canvas.color - wanted, axis=-1)
    away = ndimage.distance_transform_edt(~_drawn(canvas, hint))
    return np.asarray(far + _SPACE / max(canvas.size) * away, dtype=np.float32)


def attention_and_space(steps: Floats, canvas: Canvas, hint: Hint) -> Floats:
    """(rows, columns): a Markov map (see markov.py), scaled to a range of about 1, plus the
    distance in space. steps: the map, enlarged to the canvas."""
    low, high = np.quantile(steps, _USUAL)
    away = ndimage.distance_transform_edt(~_drawn(canvas, hint)) / max(canvas.size)
    return np.asarray((steps - low) / (high - low + 1e-9) + _STEPS * away, dtype=np.float32)


def geodesic(canvas: Canvas, hint: Hint) -> Floats:
    """(rows, columns): the cheapest path from the hint, where crossing an edge is dear."""
    march = sitk.FastMarchingImageFilter()
    for row, column in hint.pixels:
        march.AddTrialPoint((int(column), int(row)))
    speed = 1.0 / (_FLAT + canvas.slope.astype(np.float64))
    found = sitk.GetArrayFromImage(march.Execute(sitk.GetImageFromArray(speed)))
    return np.asarray(found, dtype=np.float32)


def _color_of(canvas: Canvas, hint: Hint) -> Floats:
    rows, columns = hint.pixels.T
    if not hint.is_click:
        return np.asarray(canvas.color[rows, columns].mean(axis=0), dtype=np.float32)
    row, column = int(rows[0]), int(columns[0])
    around = canvas.color[
        max(0, row - _AROUND) : row + _AROUND + 1, max(0, column - _AROUND) : column + _AROUND + 1
    ]
    return np.asarray(around.reshape(-1, 3).mean(axis=0), dtype=np.float32)


def _drawn(canvas: Canvas, hint: Hint) -> NDArray[np.bool_]:
    drawn = np.zeros(canvas.size, dtype=bool)
    drawn[tuple(hint.pixels.T)] = True
    return drawn
