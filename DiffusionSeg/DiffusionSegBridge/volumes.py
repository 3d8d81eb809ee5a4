"""Volume nodes to images and back, in world RAS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.arrays import scalarsFromArray, viewOfScalars
from DiffusionSegBridge.nodes import Node, Scene, currentScene, nodeName, required
from DiffusionSegBridge.transforms import arrayFromMatrix, matrixFromArray, worldMatrix
from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image

__all__ = ["imageFromVolumes", "imageKey", "volumeFromImage", "voxelsKey", "worldGeometry"]


def imageFromVolumes(volumeNodes: Sequence[Node]) -> Image:
    """One image of all volumes, a copy in the stored type, on the world grid of the first.

    Further volumes become channels, resampled linearly; three components are red, green, blue, and
    the opacity of a picture is dropped.
    Raises InputError without a volume or voxels, GeometryError for a non-linear transform or for
    volumes that do not overlap.
    """
    if not volumeNodes:
        raise InputError("No volume is chosen; choose one.")
    images = [_image(node) for node in volumeNodes]
    if len(images) == 1:
        return images[0]
    named = [_named(image, node) for image, node in zip(images, volumeNodes, strict=True)]
    try:
        return Image.stack(named)
    except GeometryError as error:
        names = " and ".join(repr(nodeName(node)) for node in volumeNodes)
        raise GeometryError(f"{names} cannot be used together: {error}") from error


def worldGeometry(volumeNode: Node) -> Geometry:
    """The volume's voxel grid in world RAS, its linear parent transforms included."""
    columns, rows, slices = _imageData(volumeNode).GetDimensions()
    return Geometry.from_ijk_to_ras((slices, rows, columns), _firstVoxelToWorld(volumeNode))


def imageKey(volumeNodes: Sequence[Node]) -> str:
    """A name for what `imageFromVolumes` returns: other voxels or another place, another key."""
    return "|".join(_key(node) for node in volumeNodes)


def voxelsKey(volumeNodes: Sequence[Node]) -> str:
    """The same of the voxels alone, wherever they are moved."""
    return "|".join(_voxels(node) for node in volumeNodes)


def volumeFromImage(image: Image, name: str, scene: Scene = None) -> Node:
    """A new volume node of the image, without display nodes; several channels: a vector volume.

    Truth values become uint8 and half floats float32, which MRML knows.
    """
    import slicer
    import vtk

    kind = "vtkMRMLScalarVolumeNode" if len(image.array) == 1 else "vtkMRMLVectorVolumeNode"
    node = currentScene(scene).AddNewNodeByClass(kind, name)
    data = vtk.vtkImageData()
    data.SetDimensions(image.geometry.shape_kji[::-1])
    scalarsFromArray(np.moveaxis(_storable(image.array), 0, -1), data)
    node.SetIJKToRASMatrix(matrixFromArray(image.geometry.ijk_to_ras))
    node.SetAndObserveImageData(data)
    if image.is_rgb:
        node.SetVoxelVectorType(slicer.vtkMRMLVolumeNode.VoxelVectorTypeColorRGB)
    return node


def _image(node: Node) -> Image:
    voxels = viewOfScalars(_imageData(node))
    if voxels.shape[-1] == 4 and voxels.dtype == np.uint8:
        voxels = voxels[..., :3]
    array = np.ascontiguousarray(np.moveaxis(voxels, -1, 0))
    if np.shares_memory(array, voxels):
        array = array.copy()
    return Image(array, worldGeometry(node), RGB_NAMES if len(array) == 3 else ())


def _named(image: Image, node: Node) -> Image:
    names = (nodeName(node),) if len(image.array) == 1 else image.channel_names
    return replace(image, channel_names=names)


def _imageData(node: Node) -> Node:
    data = required(node, "volume").GetImageData()
    if data is None or data.GetPointData().GetScalars() is None or not data.GetNumberOfPoints():
        raise InputError(f"The volume {nodeName(node)!r} holds no image; load or choose another.")
    return data


def _firstVoxelToWorld(node: Node) -> NDArray[np.float64]:
    """(4, 4) to world RAS from indices that count from the first voxel there is."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    toWorld = worldMatrix(node) @ arrayFromMatrix(matrix)
    # Slicer's indices count from 0, but what was cut out by VTK starts further on.
    start = np.array(node.GetImageData().GetExtent()[::2], dtype=np.float64)
    toWorld[:3, 3] += toWorld[:3, :3] @ start
    return toWorld


def _key(node: Node) -> str:
    place = hash(_firstVoxelToWorld(node).tobytes())
    return f"{_voxels(node)}:{place:x}"


def _voxels(node: Node) -> str:
    data = _imageData(node)
    changed = max(data.GetMTime(), data.GetPointData().GetScalars().GetMTime())
    return f"{node.GetID()}:{changed}"


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    return array.astype(np.float32) if array.dtype == np.float16 else array
