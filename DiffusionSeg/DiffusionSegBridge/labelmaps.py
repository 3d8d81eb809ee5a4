"""A mask as the oriented labelmap that a segmentation holds, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.arrays import scalarsFromArray, viewOfScalars
from DiffusionSegBridge.nodes import Node
from DiffusionSegBridge.transforms import arrayFromMatrix, matrixFromArray, worldMatrix
from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["filledBlock", "labelmapFor", "labelmapGeometry", "labelmapVoxels", "wholeOffset"]

Slices = tuple[slice, slice, slice]

# Two grids are one when their voxels are nowhere further apart than this part of a voxel.
_SAME_GRID_VOXELS = 1e-3


def labelmapFor(
    mask_kji: NDArray[np.uint8] | NDArray[np.bool_], geometry: Geometry, segmentationNode: Node
) -> Node:
    """A vtkOrientedImageData in the segmentation's own frame: 1 where the mask is above 0.

    `geometry` is the mask's world grid; only the block that holds voxels is copied (of an empty
    mask one voxel of 0). Raises GeometryError when the segmentation is under a non-linear
    transform.
    """
    import slicer

    labelmap = slicer.vtkOrientedImageData()
    local = np.linalg.inv(worldMatrix(segmentationNode)) @ geometry.ijk_to_ras
    labelmap.SetImageToWorldMatrix(matrixFromArray(local))
    # Slicer's functions stumble over an empty extent.
    block = filledBlock(mask_kji) or (slice(0, 1), slice(0, 1), slice(0, 1))
    labelmap.SetExtent([int(end) for part in block[::-1] for end in (part.start, part.stop - 1)])
    scalarsFromArray((mask_kji[block] != 0).view(np.uint8)[..., np.newaxis], labelmap)
    return labelmap


def labelmapGeometry(labelmap: Node, segmentationNode: Node) -> Geometry | None:
    """The world grid of the voxels that a labelmap holds; None when it holds none."""
    import vtk

    extent = labelmap.GetExtent()
    counts = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in range(3)]
    if min(counts) < 1:
        return None
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    ijkToWorld = worldMatrix(segmentationNode) @ arrayFromMatrix(matrix)
    # After a crop the first voxel is not number 0.
    ijkToWorld[:3, 3] += ijkToWorld[:3, :3] @ np.array(extent[::2], dtype=np.float64)
    return Geometry.from_ijk_to_ras(counts[::-1], ijkToWorld)


def labelmapVoxels(labelmap: Node) -> NDArray[Any]:
    """The label values (k, j, i) that a labelmap holds, shared with VTK: only to be read."""
    return viewOfScalars(labelmap)[..., 0]


def wholeOffset(source: Geometry, target: Geometry) -> tuple[int, int, int] | None:
    """(k, j, i) in `target` of the first voxel of `source`, when both have the same voxels.

    None when the grids are turned, scaled or shifted by a part of a voxel against each other.
    """
    sourceToTarget = target.ras_to_ijk @ source.ijk_to_ras
    offset = np.rint(sourceToTarget[:3, 3])
    same = np.eye(4)
    same[:3, 3] = offset
    far = np.abs(sourceToTarget - same)[:3] @ np.array([*source.shape_kji[::-1], 1.0])
    if far.max() > _SAME_GRID_VOXELS:
        return None
    first, second, third = (int(value) for value in offset)
    return third, second, first


def filledBlock(mask_kji: NDArray[Any]) -> Slices | None:
    """The smallest block with all voxels that are not 0; None when there are none."""
    slices = _range(np.any(mask_kji.reshape(len(mask_kji), -1), axis=1))
    if slices is None:
        return None
    flat = np.asarray(np.any(mask_kji[slices], axis=0))
    rows, columns = _range(np.any(flat, axis=1)), _range(np.any(flat, axis=0))
    return None if rows is None or columns is None else (slices, rows, columns)


def _range(filled: Any) -> slice | None:
    found = np.flatnonzero(filled)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else None
