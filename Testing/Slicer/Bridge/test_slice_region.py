"""The layer of voxels that a slice view shows."""

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.prompt_nodes import currentSliceRegion
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import Geometry
from Testing.Library.geometries import rotation
from Testing.Slicer.Bridge.made import GRIDS, TRANSFORMS, matrix_node, transform, volume

pytestmark = pytest.mark.slicer


def view(scene: Any, axes: np.ndarray, origin: Any) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    placed = np.eye(4)
    placed[:3, :3], placed[:3, 3] = axes, origin
    node.GetSliceToRAS().DeepCopy(matrix_node(placed))
    node.UpdateMatrices()
    return node


def along(geometry: Any, axis: int, turn: float = 0.0) -> np.ndarray:
    """Axes of a view whose normal is that of the layers along i (0), j (1) or k (2)."""
    normal = np.linalg.inv(geometry.ijk_to_ras[:3, :3])[axis]
    normal = rotation((turn, turn, 0)) @ normal / np.linalg.norm(normal)
    right = np.cross(normal, [0.3, 0.5, 0.8])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(normal, right), normal], axis=1)


@pytest.mark.parametrize("above", TRANSFORMS)
@pytest.mark.parametrize("kind", GRIDS)
def test_a_view_along_an_axis_gives_exactly_one_layer(scene: Any, kind: str, above: str) -> None:
    node = volume(scene, GRIDS[kind], parent=transform(scene, above))
    geometry = worldGeometry(node)
    for axis in range(3):
        for layer in (0, geometry.shape_kji[2 - axis] - 1, 2):
            for within in (-0.49, 0.0, 0.3, 0.49):
                place = [0.0, 1.0, 2.0]  # k, j, i
                place[2 - axis] = layer + within
                origin = geometry.kji_to_ras([place])[0]
                box = currentSliceRegion(node, view(scene, along(geometry, axis), origin))
                expected = [slice(0, count) for count in geometry.shape_kji]
                expected[2 - axis] = slice(layer, layer + 1)
                assert box.slices_kji(geometry) == tuple(expected), (axis, layer, within)


def test_a_slightly_turned_view_is_still_one_layer(scene: Any) -> None:
    """Far from its middle it reaches two layers on."""
    node = volume(scene, Geometry((9, 300, 400)))
    geometry = worldGeometry(node)
    origin = geometry.kji_to_ras([[4.0, 150.0, 200.0]])[0]
    box = currentSliceRegion(node, view(scene, along(geometry, 2, turn=0.3), origin))
    assert box.slices_kji(geometry) == (slice(4, 5), slice(0, 300), slice(0, 400))


def test_an_oblique_view_gives_a_thin_slab(scene: Any) -> None:
    node = volume(scene, GRIDS["anisotropic"])
    geometry = worldGeometry(node)
    center = geometry.kji_to_ras([[2.0, 3.0, 4.0]])[0]
    axes = rotation((30, 20, 10))
    box = currentSliceRegion(node, view(scene, axes, center))
    assert box.contains([center]).all()
    assert box.size_mm[2] < 2.5
    cut = geometry.corners_ras() @ axes[:, :2]
    ends = box.corners_ras() @ axes[:, :2]
    assert np.allclose(ends.min(axis=0), cut.min(axis=0))
    assert np.allclose(ends.max(axis=0), cut.max(axis=0))
    beside = center + axes[:, 2] * 3.0
    assert not box.contains([beside]).any()


def test_a_view_beside_the_volume_is_told(scene: Any) -> None:
    node = volume(scene, GRIDS["anisotropic"])
    geometry = worldGeometry(node)
    for turn in (0.0, 20.0):
        axes = along(geometry, 2, turn)
        far = geometry.kji_to_ras([[2.0, 3.0, 4.0]])[0] + axes[:, 2] * 500
        with pytest.raises(PromptError, match="does not cut the volume 'Head'"):
            currentSliceRegion(node, view(scene, axes, far))


def test_the_standard_views_of_slicer(scene: Any) -> None:
    import slicer

    node = volume(scene, GRIDS["plain"])
    geometry = worldGeometry(node)
    center = geometry.kji_to_ras([[2.0, 3.0, 4.0]])[0]
    for name, axis in (("Axial", 0), ("Coronal", 1), ("Sagittal", 2)):
        sliceNode = scene.AddNewNodeByClass("vtkMRMLSliceNode")
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
        sliceNode.SetOrientation(name)
        sliceNode.JumpSliceByCentering(*center)
        layers = currentSliceRegion(node, sliceNode).slices_kji(geometry)
        counts = [part.stop - part.start for part in layers]
        assert counts[axis] == 1 and layers[axis].start == (2, 3, 4)[axis], name
        assert np.prod(counts) == np.prod(geometry.shape_kji) / geometry.shape_kji[axis]
