"""From a map of distances to nested regions: each holds the hint, hangs together, has no holes."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.bounding import bounding_box

__all__ = ["connected_to", "filled", "without_holes"]

Floats = NDArray[np.float32]


def connected_to(distance: Floats, pixels: NDArray[np.int64]) -> Floats:
    """(rows, columns): the lowest t so that a path of pixels up to t leads to the hint's pixels.

    The minimax distance of M2N2's flood fill (arXiv:2411.10411), as a morphological reconstruction
    by erosion, which takes one sweep instead of a priority queue in Python. Paths run over edges.
    """
    marker = np.full(distance.shape, float(distance.max()) + 1, dtype=np.float32)
    rows, columns = pixels.T
    marker[rows, columns] = distance[rows, columns]
    return _array(sitk.ReconstructionByErosion(_image(marker), _image(distance), False))


def without_holes(connected: Floats) -> Floats:
    """(rows, columns): the same with the holes of every region {values <= t} filled, at once."""
    marker = np.full(connected.shape, float(connected.min()) - 1, dtype=np.float32)
    for border in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        marker[border] = connected[border]
    return _array(sitk.ReconstructionByDilation(_image(marker), _image(connected), False))


def filled(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(rows, columns): one region with its holes filled; paths out of a hole run over edges."""
    whole = region.copy()
    if region.any():
        part = whole[bounding_box(region)]
        labels, _ = ndimage.label(~part)
        frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        is_outside = np.zeros(int(labels.max()) + 1, dtype=bool)
        is_outside[frame] = True
        is_outside[0] = False
        part[:] = ~is_outside[labels]
    return whole


def _image(values: Floats) -> sitk.Image:
    return sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))


def _array(image: sitk.Image) -> Floats:
    return np.asarray(sitk.GetArrayFromImage(image), dtype=np.float32)
