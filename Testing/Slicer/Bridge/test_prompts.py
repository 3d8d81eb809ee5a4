"""Markups and segments to prompts."""

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.prompts import ROLE, Scribbles, boxFromRoi, promptFromNodes
from DiffusionSegBridge.segments import writeSegment
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import GeometryError, InputError, PromptError
from DiffusionSegLib.nouns.prompt import Box, Prompt
from Testing.Library.geometries import rotation
from Testing.Slicer.Bridge.made import (
    GRIDS,
    SHAPE,
    TRANSFORMS,
    bend,
    matrix_node,
    segmentation,
    shape,
    transform,
    volume,
)

pytestmark = pytest.mark.slicer


def points_at(scene: Any, *places: Any, parent: Any = None) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    for place in places:
        node.AddControlPoint([float(value) for value in place])
    return node


def roi(scene: Any, center: Any, size: Any, turn: Any = None, parent: Any = None) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    node.SetCenter(*center)
    node.SetSize(*size)
    if turn is not None:
        placed = np.eye(4)
        placed[:3, :3], placed[:3, 3] = turn, center
        node.SetAndObserveObjectToNodeMatrix(matrix_node(placed))
    return node


def test_words_alone(scene: Any) -> None:
    prompt = promptFromNodes("  left   kidney ")
    assert prompt.text == "left kidney" and prompt.kinds == {"text"}
    assert promptFromNodes().is_empty


@pytest.mark.parametrize("above", TRANSFORMS)
@pytest.mark.parametrize("kind", GRIDS)
def test_a_click_on_a_voxel_is_that_voxel(scene: Any, kind: str, above: str) -> None:
    """However the volume and the points are transformed: the voxel under the mouse is meant."""
    import slicer
    import vtk

    node = volume(scene, GRIDS[kind], parent=transform(scene, above))
    toWorld, ijkToRas = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
        node.GetParentTransformNode(), None, toWorld
    )
    node.GetIJKToRASMatrix(ijkToRas)
    voxels_kji = [(0, 0, 0), (4, 6, 8), (1, 5, 2)]
    places = [
        toWorld.MultiplyPoint(ijkToRas.MultiplyPoint((i, j, k, 1.0)))[:3] for k, j, i in voxels_kji
    ]
    include = points_at(scene, *places[:2], parent=None)
    moved = transform(scene, "sheared")
    exclude = points_at(scene, parent=moved)
    exclude.AddControlPointWorld(places[2])
    prompt = promptFromNodes(includePoints=include, excludePoints=exclude, volumeNode=node)
    found = prompt.points_kji(worldGeometry(node))
    assert found == pytest.approx(np.array(voxels_kji, float), abs=1e-6)
    assert [point.include for point in prompt.points] == [True, True, False]
    distance = np.array([point.position_ras for point in prompt.points]) - places
    assert np.abs(distance).max() < 0.01


def test_points_follow_a_transform_that_bends(scene: Any) -> None:
    bent = bend(scene)
    prompt = promptFromNodes(includePoints=points_at(scene, (10, 10, 10), parent=bent))
    assert prompt.points[0].position_ras == pytest.approx((14.0, 9.0, 12.0), abs=1e-3)


def test_points_not_placed_yet_are_left_out(scene: Any) -> None:
    node = points_at(scene, (1, 2, 3), (4, 5, 6), (7, 8, 9))
    node.SetNthControlPointPositionMissing(0)
    node.SetNthControlPointPosition(2, 7.0, 8.0, 9.0, node.PositionPreview)
    prompt = promptFromNodes(includePoints=node)
    assert [point.position_ras for point in prompt.points] == [(4.0, 5.0, 6.0)]
    assert promptFromNodes(includePoints=points_at(scene)).is_empty


def test_a_point_outside_the_image_is_told(scene: Any) -> None:
    node = volume(scene, parent=transform(scene, "rigid"))
    with pytest.raises(PromptError, match=r"The point \(900.0, .* lies outside the image"):
        promptFromNodes(includePoints=points_at(scene, (900, 0, 0)), volumeNode=node)


@pytest.mark.parametrize("above", TRANSFORMS)
def test_a_turned_box_spans_what_slicer_shows(scene: Any, above: str) -> None:
    node = roi(scene, (5, -3, 8), (10, 20, 30), rotation((30, 40, -20)), transform(scene, above))
    box = boxFromRoi(node)
    assert box is not None
    size, bounds = [0.0] * 3, [0.0] * 6
    node.GetSizeWorld(size)
    node.GetRASBounds(bounds)
    assert box.size_mm == pytest.approx(size)
    assert box.center_ras == pytest.approx(node.GetCenterWorld())
    corners = box.corners_ras()
    assert corners.min(axis=0) == pytest.approx(bounds[::2])
    assert corners.max(axis=0) == pytest.approx(bounds[1::2])


@pytest.mark.parametrize("above", ["none", "rigid", "other rigid", "mirrored"])
def test_a_turned_box_holds_what_slicer_has_inside(scene: Any, above: str) -> None:
    """Not under shear: the planes that Slicer gives there are not those of the box it shows."""
    import vtk

    node = roi(scene, (5, -3, 8), (20, 30, 40), rotation((30, 40, -20)), transform(scene, above))
    box, planes = boxFromRoi(node), vtk.vtkPlanes()
    assert box is not None
    node.GetTransformedPlanes(planes)
    places = np.random.default_rng(0).uniform(-30, 30, (500, 3)) + box.center_ras
    shown = [planes.EvaluateFunction(list(place)) <= 0 for place in places]
    assert 20 < sum(shown) < 480
    assert box.contains(places).tolist() == shown


def test_a_box_not_drawn_yet_is_left_out(scene: Any) -> None:
    empty = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    assert boxFromRoi(empty) is None and boxFromRoi(None) is None
    assert promptFromNodes(boxes=[empty, None], region=empty).kinds == set()


def test_a_box_without_size_is_told(scene: Any) -> None:
    node = roi(scene, (0, 0, 0), (0, 0, 5))
    with pytest.raises(PromptError, match="'Box' has no size"):
        promptFromNodes(boxes=[node])


def test_a_flat_box_is_a_box_on_a_picture(scene: Any) -> None:
    box = boxFromRoi(roi(scene, (1, 2, 3), (4, 5, 0)))
    assert box is not None and box.size_mm == (4.0, 5.0, 0.0)


def test_boxes_and_region(scene: Any) -> None:
    node = volume(scene)
    place = worldGeometry(node).kji_to_ras([[2.0, 3.0, 4.0]])[0]
    first, second = roi(scene, place, (2, 2, 2)), roi(scene, place, (3, 3, 3))
    prompt = promptFromNodes(boxes=[first], region=second, volumeNode=node)
    assert prompt.kinds == {"boxes", "region"}
    assert prompt.boxes[0].size_mm == (2.0, 2.0, 2.0)
    assert prompt.region is not None and prompt.region.size_mm == (3.0, 3.0, 3.0)
    given = Box((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    assert promptFromNodes(region=given).region is given
    for far in ({"boxes": [roi(scene, (900, 0, 0), (1, 1, 1))]}, {"region": given}):
        with pytest.raises(PromptError, match="lies outside the image"):
            promptFromNodes(**far, volumeNode=node)


def test_curves_become_points_and_can_exclude(scene: Any) -> None:
    line = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    for place in ((0, 0, 0), (0, 0, 20)):
        line.AddControlPoint([float(value) for value in place])
    other = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    other.Copy(line)
    other.SetAttribute(ROLE, "exclude")
    prompt = promptFromNodes(curves=[line, other, None])
    signs = [point.include for point in prompt.points]
    assert signs == [True] * (len(signs) // 2) + [False] * (len(signs) // 2) and len(signs) >= 4


@pytest.mark.parametrize("above", ["none", "rigid", "sheared"])
def test_scribbles_are_painted_voxels_on_the_grid_of_the_image(scene: Any, above: str) -> None:
    parent = transform(scene, above)
    node = volume(scene, parent=parent)
    target = segmentation(scene, transform(scene, "other rigid"), segments=2)
    geometry = worldGeometry(node)
    yes, no = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    yes[1:3, 2, 3:6], no[2, 1:4, 3] = 1, 1
    writeSegment(yes, geometry, target, "a")
    writeSegment(no, geometry, target, "b")
    prompt = promptFromNodes(scribbles=Scribbles(target, "a", "b"), volumeNode=node)
    expected = np.where(no, 2, yes)
    assert np.array_equal(prompt.scribbles_on(geometry), expected)
    assert prompt.scribbles is not None
    assert prompt.scribbles.geometry.voxel_count < geometry.voxel_count
    assert prompt.kinds == {"scribbles"}


def test_scribbles_without_a_volume_keep_their_own_grid(scene: Any) -> None:
    target = segmentation(scene, transform(scene, "rigid"))
    geometry = worldGeometry(volume(scene))
    writeSegment(shape(), geometry, target, "a")
    prompt = promptFromNodes(scribbles=Scribbles(target, "a"))
    assert np.array_equal(prompt.scribbles_on(geometry), shape())


def test_a_scribble_that_only_excludes(scene: Any) -> None:
    target = segmentation(scene, segments=2)
    writeSegment(shape(), worldGeometry(volume(scene)), target, "b")
    prompt = promptFromNodes(scribbles=Scribbles(target, "a", "b"))
    assert prompt.scribbles is not None and set(np.unique(prompt.scribbles.array)) == {0, 2}


def test_scribbles_that_say_nothing_are_told(scene: Any) -> None:
    target = segmentation(scene, segments=2)
    node = volume(scene)
    for given, said in (
        (Scribbles(target, "a"), "The scribble 'a' holds no voxel"),
        (Scribbles(target, "a", "b"), "The scribble 'a' and 'b' holds no voxel"),
        (Scribbles(target, None), "No segment is chosen"),
    ):
        for image in (None, node):
            with pytest.raises(PromptError, match=said):
                promptFromNodes(scribbles=given, volumeNode=image)
    writeSegment(shape(), worldGeometry(node), target, "a")
    far = volume(scene, GRIDS["plain"], parent=_far(scene))
    with pytest.raises(PromptError, match="no voxel inside the image"):
        promptFromNodes(scribbles=Scribbles(target, "a"), volumeNode=far)


def test_scribbles_of_a_segment_that_is_gone(scene: Any) -> None:
    target = segmentation(scene, name="Organs")
    with pytest.raises(InputError, match="'Organs' has no segment"):
        promptFromNodes(scribbles=Scribbles(target, "gone"))
    with pytest.raises(InputError, match="No segmentation is chosen"):
        promptFromNodes(scribbles=Scribbles(None, "a"))
    bent = segmentation(scene, bend(scene), name="Bent")
    with pytest.raises(GeometryError, match="'Bent'"):
        promptFromNodes(scribbles=Scribbles(bent, "a"))


def test_everything_at_once(scene: Any) -> None:
    node = volume(scene)
    center = worldGeometry(node).kji_to_ras([[2.0, 3.0, 4.0]])[0]
    target = segmentation(scene)
    writeSegment(shape(), worldGeometry(node), target, "a")
    prompt = promptFromNodes(
        "liver",
        points_at(scene, center),
        points_at(scene, center),
        [roi(scene, center, (2, 2, 2))],
        scribbles=Scribbles(target, "a"),
        region=roi(scene, center, (4, 4, 4)),
        volumeNode=node,
    )
    assert isinstance(prompt, Prompt)
    assert prompt.kinds == {"text", "points", "boxes", "scribbles", "region"}


def _far(scene: Any) -> Any:
    placed = np.eye(4)
    placed[0, 3] = 1e4
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(matrix_node(placed))
    return node
