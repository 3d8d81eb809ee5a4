"""The layer of voxels that a slice view shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.nodes import Node, nodeName
from DiffusionSegBridge.transforms import arrayFromMatrix
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.prompt import Box

__all__ = ["currentSliceRegion"]

# About half a degree: a view turned less than that still shows one layer.
_ALIGNED_COSINE = 0.99996
# A little less than a voxel, so that the neighbouring layers stay out.
_THICKNESS_VOXELS = 0.9


def currentSliceRegion(volumeNode: Node, sliceNode: Node) -> Box:
    """The layer of voxels that a slice view shows, as wide as the volume.

    In a view along one of the volume's axes that is exactly one layer of voxels; in any other view
    a slab as thick as the voxels are in that direction. Raises PromptError when the slice does not
    cut the volume.
    """
    geometry = worldGeometry(volumeNode)
    sliceToRas = arrayFromMatrix(sliceNode.GetSliceToRAS())
    axes = sliceToRas[:3, :3] / np.linalg.norm(sliceToRas[:3, :3], axis=0)
    center, axis = sliceToRas[:3, 3], _alignedAxis(geometry, axes[:, 2])
    if axis is not None:
        center = _middleOfLayer(geometry, center, axis, volumeNode)
        axes = _alongLayer(axes, _layerNormals(geometry)[axis])
    corners = (geometry.corners_ras() - center) @ axes
    low, high = corners.min(axis=0), corners.max(axis=0)
    if low[2] > 0 or high[2] < 0:
        raise PromptError(_outside(volumeNode))
    thickness = float(np.abs(geometry.ijk_to_ras[:3, :3].T @ axes[:, 2]).max()) * _THICKNESS_VOXELS
    shift = (low + high) / 2 * np.array([1.0, 1.0, 0.0])
    x, y, z = (center + axes @ shift).tolist()
    return Box((x, y, z), (float(high[0] - low[0]), float(high[1] - low[1]), thickness),
               as_direction(axes))  # fmt: skip


def _alignedAxis(geometry: Geometry, normal: NDArray[np.float64]) -> int | None:
    """The axis (0 i, 1 j, 2 k) whose layers are parallel to the slice; None for an oblique view."""
    cosines = np.abs(_layerNormals(geometry) @ normal)
    best = int(cosines.argmax())
    return best if cosines[best] > _ALIGNED_COSINE else None


def _layerNormals(geometry: Geometry) -> NDArray[np.float64]:
    """(3, 3) rows: unit normals of the i, j and k layers; in a sheared grid not its axes."""
    rows = np.linalg.inv(geometry.ijk_to_ras[:3, :3])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _alongLayer(axes: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The view's axes turned by the small angle that puts them into the layer."""
    right = axes[:, 0] - (axes[:, 0] @ normal) * normal
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(normal, right), normal], axis=1)


def _middleOfLayer(
    geometry: Geometry, position_ras: NDArray[np.float64], axis: int, volumeNode: Node
) -> NDArray[np.float64]:
    """The position moved to the centres of the nearest layer."""
    kji = geometry.ras_to_kji(position_ras)[0]
    count, index = geometry.shape_kji[2 - axis], kji[2 - axis]
    if not -0.5 - 1e-6 <= index <= count - 0.5 + 1e-6:
        raise PromptError(_outside(volumeNode))
    kji[2 - axis] = min(max(round(index), 0), count - 1)
    return geometry.kji_to_ras(kji)[0]


def _outside(volumeNode: Node) -> str:
    return (
        f"The slice shown does not cut the volume {nodeName(volumeNode)!r}; scroll to where it "
        "does, or choose the whole volume."
    )
