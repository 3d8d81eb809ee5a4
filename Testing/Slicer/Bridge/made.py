"""Volumes, transforms and shapes for the tests of the bridge."""

from __future__ import annotations

from typing import Any

import numpy as np

from DiffusionSegLib.nouns.geometry import Geometry
from Testing.Library.geometries import KIND_NAMES, KINDS, SHEARED, grid, rotation

# All three sizes differ, so that no two axes can be exchanged unnoticed.
SHAPE = (5, 7, 9)
GRIDS = {name: grid(SHAPE, **kind) for name, kind in zip(KIND_NAMES, KINDS, strict=True)}
GRIDS["sheared"] = SHEARED


def _affine(linear: Any, shift: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, shift
    return matrix


TRANSFORMS = {
    "none": None,
    "rigid": _affine(rotation((35.0, -20.0, 50.0)), (12.5, -30.0, 7.75)),
    "other rigid": _affine(rotation((-70.0, 10.0, 5.0)), (-40.0, 3.0, 21.0)),
    "mirrored": _affine(np.diag([-1.0, 1.0, 1.0]), (4.0, 5.0, 6.0)),
    "sheared": _affine([[1.2, 0.3, 0.0], [0.0, 0.8, 0.2], [0.1, 0.0, 1.5]], (1.0, 2.0, 3.0)),
}


def matrix_node(array: np.ndarray) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(array.ravel().tolist())
    return matrix


def transform(scene: Any, name: str, parent: Any = None) -> Any:
    """A transform node; None for "none"."""
    array = TRANSFORMS[name]
    if array is None:
        return parent
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(matrix_node(array))
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def bend(scene: Any) -> Any:
    """A transform node that is not linear."""
    import vtk

    bending = vtk.vtkThinPlateSplineTransform()
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for point in ((0, 0, 0), (10, 0, 0), (0, 10, 0), (0, 0, 10), (10, 10, 10)):
        source.InsertNextPoint(point)
        target.InsertNextPoint([value * 1.1 if value else value for value in point])
    target.SetPoint(4, (14.0, 9.0, 12.0))
    bending.SetSourceLandmarks(source)
    bending.SetTargetLandmarks(target)
    bending.SetBasisToR()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "Bend")
    node.SetAndObserveTransformToParent(bending)
    return node


def volume(
    scene: Any,
    geometry: Geometry | None = None,
    array: np.ndarray | None = None,
    parent: Any = None,
    name: str = "Head",
) -> Any:
    """A scalar volume made with VTK alone: (k, j, i), or (k, j, i, components)."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    geometry = geometry or GRIDS["oblique+anisotropic"]
    if array is None:
        array = np.arange(geometry.voxel_count, dtype=np.int16).reshape(geometry.shape_kji)
    kind = "vtkMRMLScalarVolumeNode" if array.ndim == 3 else "vtkMRMLVectorVolumeNode"
    node = scene.AddNewNodeByClass(kind, name)
    data = vtk.vtkImageData()
    data.SetDimensions(geometry.shape_kji[::-1])
    components = array.shape[3] if array.ndim == 4 else 1
    values = np.ascontiguousarray(array).reshape(-1, components)
    data.GetPointData().SetScalars(numpy_to_vtk(values, deep=1))
    node.SetAndObserveImageData(data)
    node.SetIJKToRASMatrix(matrix_node(geometry.ijk_to_ras))
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def segmentation(scene: Any, parent: Any = None, segments: int = 1, name: str = "S") -> Any:
    """A segmentation node with empty segments "a", "b"..., whose IDs are their names."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    for number in range(segments):
        letter = "abcdefgh"[number]
        node.GetSegmentation().AddEmptySegment(letter, letter, [0.5, 0.1 * number, 0.0])
    return node


def shape(shape_kji: tuple[int, int, int] = SHAPE, seed: int = 0) -> np.ndarray:
    """A mask that differs from its mirror images and from itself turned."""
    mask = np.zeros(shape_kji, np.uint8)
    slices, rows, columns = shape_kji
    mask[slices // 5 : slices * 4 // 5, rows // 4 : rows // 2, columns // 3 : columns - 1] = 1
    mask[:, rows - 2, 1] = 1
    noise = np.random.default_rng(seed).random(shape_kji) > 0.9
    return np.asarray(mask | noise, np.uint8)


def world_of_voxels(segmentation_node: Any, segment_id: str) -> np.ndarray:
    """(N, 3) world RAS of every voxel of a segment, by VTK's own transforms, sorted."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    segment = segmentation_node.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation("Binary labelmap")
    if not image.GetNumberOfPoints():
        return np.empty((0, 3))
    values = vtk_to_numpy(image.GetPointData().GetScalars())
    found = np.argwhere(values.reshape(image.GetDimensions()[::-1]) == segment.GetLabelValue())
    indices = found[:, ::-1] + np.array(image.GetExtent()[::2])
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return _sorted(_to_world(indices, matrix, segmentation_node, slicer, vtk))


def world_of_mask(mask: np.ndarray, volume_node: Any) -> np.ndarray:
    """(N, 3) world RAS of every voxel of a mask on a volume's grid, sorted."""
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    indices = np.argwhere(mask)[:, ::-1]
    return _sorted(_to_world(indices, matrix, volume_node, slicer, vtk))


def _to_world(indices: np.ndarray, matrix: Any, node: Any, slicer: Any, vtk: Any) -> np.ndarray:
    general = vtk.vtkGeneralTransform()
    parent = node.GetParentTransformNode()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parent, None, general)
    places = []
    for i, j, k in indices.tolist():
        local = matrix.MultiplyPoint((i, j, k, 1.0))[:3]
        places.append(general.TransformPoint(local))
    return np.array(places).reshape(-1, 3)


def _sorted(points: np.ndarray) -> np.ndarray:
    # Rounded for the order only: neighbours differ by far more than this.
    order = np.lexsort(points.round(4).T)
    return np.asarray(points[order])
