"""The markups nodes of the prompt: their look, and that they survive saving."""

from pathlib import Path
from typing import Any

import pytest

from DiffusionSegBridge.prompt_nodes import (
    createBox,
    createExcludePoints,
    createIncludePoints,
    createRegion,
    setShown,
)
from DiffusionSegBridge.prompts import ROLE, promptFromNodes
from DiffusionSegLib.nouns.prompt import Point
from Testing.Slicer.Bridge.made import transform

pytestmark = pytest.mark.slicer
CREATORS = [createIncludePoints, createExcludePoints, createBox, createRegion]


def test_each_is_told_apart_by_color_shape_and_role(scene: Any) -> None:
    nodes = [create(scene) for create in CREATORS]
    assert [node.GetAttribute(ROLE) for node in nodes] == ["include", "exclude", "box", "region"]
    looks = {(n.GetDisplayNode().GetSelectedColor(), n.GetDisplayNode().GetGlyphType())
             for n in nodes[:2]}  # fmt: skip
    assert len({color for color, _ in looks}) == 2 and len({glyph for _, glyph in looks}) == 2
    red, green, _ = nodes[0].GetDisplayNode().GetSelectedColor()
    assert green > red
    red, green, _ = nodes[1].GetDisplayNode().GetSelectedColor()
    assert red > green
    assert nodes[2].GetDisplayNode().GetSelectedColor() != (
        nodes[3].GetDisplayNode().GetSelectedColor()
    )
    for node in nodes:
        display = node.GetDisplayNode()
        assert display.GetColor() == display.GetSelectedColor()
        assert not display.GetPointLabelsVisibility()
        assert not display.GetPropertiesLabelVisibility()


def test_points_are_locked_and_boxes_have_handles(scene: Any) -> None:
    assert createIncludePoints(scene).GetLocked() and createExcludePoints(scene).GetLocked()
    for create in (createBox, createRegion):
        node = create(scene)
        display = node.GetDisplayNode()
        assert not node.GetLocked() and display.GetHandlesInteractive()
        assert display.GetRotationHandleVisibility() and not display.GetFillVisibility()


def test_names_stay_apart_and_the_scene_is_the_applications_by_default(scene: Any) -> None:
    first, second = createIncludePoints(), createIncludePoints()
    assert first.GetScene() is scene
    assert first.GetName() != second.GetName()


def test_hidden_and_shown_together(scene: Any) -> None:
    nodes = [create(scene) for create in CREATORS]
    for shown in (False, True):
        setShown([*nodes, None], shown)
        assert all(bool(node.GetDisplayVisibility()) is shown for node in nodes)


def test_a_node_that_lost_its_display_can_be_shown_again(scene: Any) -> None:
    node = createBox(scene)
    scene.RemoveNode(node.GetDisplayNode())
    setShown([node], False)
    assert node.GetDisplayNode() is not None and not node.GetDisplayVisibility()


def test_one_display_node_each(scene: Any) -> None:
    node = createIncludePoints(scene)
    before = scene.GetNumberOfNodes()
    for _ in range(20):
        setShown([node], False)
        setShown([node], True)
    assert scene.GetNumberOfNodes() == before


def test_prompts_survive_saving_and_reloading(scene: Any, tmp_path: Path) -> None:
    """Points (also under a transform), their look and role, and turned boxes."""
    parent = transform(scene, "sheared")
    include, exclude, box = createIncludePoints(scene), createExcludePoints(scene), createBox(scene)
    include.SetAndObserveTransformNodeID(parent.GetID())
    include.AddControlPoint([1.0, 2.0, 3.0])
    exclude.AddControlPoint([-4.0, 5.0, 6.5])
    box.SetCenter(1, 2, 3)
    box.SetSize(4, 5, 6)
    box.SetAndObserveTransformNodeID(transform(scene, "rigid").GetID())
    prompt = promptFromNodes("liver", include, exclude, [box])
    names = [node.GetName() for node in (include, exclude, box)]
    path = str(tmp_path / "x.mrb")
    assert scene.WriteToMRB(path)
    scene.Clear(0)
    assert scene.ReadFromMRB(path)
    again = [scene.GetFirstNodeByName(name) for name in names]
    assert [node.GetAttribute(ROLE) for node in again] == ["include", "exclude", "box"]
    assert [bool(node.GetLocked()) for node in again] == [True, True, False]
    reloaded = promptFromNodes("liver", again[0], again[1], [again[2]])
    assert _numbers(reloaded.points) == pytest.approx(_numbers(prompt.points), abs=1e-3)
    assert [point.include for point in reloaded.points] == [True, False]
    first, second = prompt.boxes[0], reloaded.boxes[0]
    assert second.corners_ras() == pytest.approx(first.corners_ras(), abs=1e-3)


def _numbers(points: tuple[Point, ...]) -> list[float]:
    return [number for point in points for number in point.position_ras]
