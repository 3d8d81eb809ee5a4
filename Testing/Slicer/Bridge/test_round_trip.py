"""Any image and any mask, on any grid under any transform, come back as they were."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from DiffusionSegBridge.segments import readSegments, writeSegment
from DiffusionSegBridge.volumes import imageFromVolumes, volumeFromImage, worldGeometry
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from Testing.Library.geometries import geometries, rotation
from Testing.Slicer.Bridge.made import matrix_node, segmentation

pytestmark = pytest.mark.slicer
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
# The scene is emptied by each example itself.
SHARED_SCENE = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def images(draw: st.DrawFn) -> Image:
    geometry = draw(geometries())
    channels = draw(st.integers(1, 4))
    kind = np.dtype(draw(st.sampled_from(TYPES)))
    channels = 3 if kind == np.uint8 and channels == 4 else channels  # four bytes are a picture
    array = draw(arrays.arrays(kind, (channels, *geometry.shape_kji)))
    return Image(array, geometry)


@st.composite
def placements(draw: st.DrawFn) -> np.ndarray:
    """A transform that turns, mirrors, scales, shears and moves."""
    angle, factor = st.floats(-180.0, 180.0), st.floats(0.2, 5.0)
    turn = rotation((draw(angle), draw(angle), draw(angle)))
    stretch = np.diag([draw(factor), draw(factor), draw(factor)])
    stretch[0, 1] = draw(st.floats(-1.0, 1.0))
    if draw(st.booleans()):
        stretch[2] *= -1
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ stretch
    matrix[:3, 3] = [draw(st.floats(-500.0, 500.0)) for _ in range(3)]
    return matrix


def under(scene: Any, node: Any, matrix: np.ndarray) -> None:
    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    parent.SetMatrixTransformToParent(matrix_node(matrix))
    node.SetAndObserveTransformNodeID(parent.GetID())


@SHARED_SCENE
@given(image=images(), placement=placements())
def test_node_to_image_to_node(scene: Any, image: Image, placement: np.ndarray) -> None:
    scene.Clear(0)
    node = volumeFromImage(image, "X")
    again = imageFromVolumes([node])
    assert again.array.dtype == image.array.dtype
    assert np.array_equal(again.array, image.array, equal_nan=image.array.dtype.kind == "f")
    assert again.geometry.is_close(image.geometry)
    under(scene, node, placement)
    moved = imageFromVolumes([node])
    wanted = image.geometry.corners_ras() @ placement[:3, :3].T + placement[:3, 3]
    assert moved.geometry.corners_ras() == pytest.approx(wanted, abs=0.01)
    second = volumeFromImage(moved, "Y")  # in the world, without a transform
    assert worldGeometry(second).is_close(moved.geometry)
    assert np.array_equal(
        imageFromVolumes([second]).array, image.array, equal_nan=image.array.dtype.kind == "f"
    )


@SHARED_SCENE
@given(grid=geometries(), placement=placements(), draw=st.data())
def test_mask_to_segment_to_mask(
    scene: Any, grid: Geometry, placement: np.ndarray, draw: st.DataObject
) -> None:
    scene.Clear(0)
    target = segmentation(scene, segments=2)
    under(scene, target, placement)
    masks = {}
    for letter in draw.draw(st.lists(st.sampled_from("ab"), min_size=1, max_size=4)):
        masks[letter] = draw.draw(arrays.arrays(np.bool_, grid.shape_kji))
        writeSegment(masks[letter], grid, target, letter)
        for other, mask in masks.items():
            assert np.array_equal(readSegments(target, {1: other}, grid).array, mask)
