"""Curves to points along them."""

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.curves import curvePoints
from DiffusionSegLib.nouns.geometry import Geometry
from Testing.Slicer.Bridge.made import transform

pytestmark = pytest.mark.slicer


def curve(scene: Any, kind: str, *places: Any, parent: Any = None) -> Any:
    node = scene.AddNewNodeByClass(f"vtkMRMLMarkups{kind}Node")
    for place in places:
        node.AddControlPoint([float(value) for value in place])
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def test_a_line_from_end_to_end_in_even_steps(scene: Any) -> None:
    points = np.array(curvePoints(curve(scene, "Line", (0, 0, 0), (0, 0, 20))))
    assert points == pytest.approx(np.array([[0, 0, z] for z in (0, 5, 10, 15, 20)]))


def test_an_open_curve_runs_through_its_ends(scene: Any) -> None:
    places = ((0, 0, 0), (10, 10, 0), (30, 0, 0))
    points = np.array(curvePoints(curve(scene, "Curve", *places)))
    assert points[0] == pytest.approx(places[0]) and points[-1] == pytest.approx(places[-1])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps.max() < 5.01 and steps.min() > 3.0


def test_a_closed_curve_marks_its_line_once_around(scene: Any) -> None:
    corners = ((20, 0, 0), (0, 20, 0), (-20, 0, 0), (0, -20, 0))
    points = np.array(curvePoints(curve(scene, "ClosedCurve", *corners)))
    assert len(points) == 20
    assert np.linalg.norm(points, axis=1) == pytest.approx(20, abs=3)  # not the middle
    around = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    assert around.max() < 1.3 * around.min()  # the end is not given twice


def test_a_long_curve_is_thinned(scene: Any) -> None:
    assert len(curvePoints(curve(scene, "Line", (0, 0, 0), (0, 0, 5000)))) == 20


def test_steps_follow_the_voxels_of_the_image(scene: Any) -> None:
    image = Geometry((40, 40, 40), (1.0, 1.0, 2.0), (-20.0, -20.0, -40.0))
    points = np.array(curvePoints(curve(scene, "Line", (0, 0, -20), (0, 0, 20)), image))
    assert np.diff(points[:, 2]) == pytest.approx(10.0)


def test_what_leaves_the_image_is_left_out_unless_all_does(scene: Any) -> None:
    image = Geometry((11, 11, 11))  # R and A from -10.5 to 0.5
    partly = np.array(curvePoints(curve(scene, "Line", (-2, -5, 5), (18, -5, 5)), image))
    assert len(partly) and image.contains_ras(partly).all()
    outside = np.array(curvePoints(curve(scene, "Line", (50, 0, 0), (60, 0, 0)), image))
    assert len(outside) >= 2 and not image.contains_ras(outside).any()


def test_the_place_is_where_it_is_shown(scene: Any) -> None:
    parent = transform(scene, "sheared")
    node = curve(scene, "Line", (0, 0, 0), (0, 0, 20), parent=parent)
    ends = [node.GetNthControlPointPositionWorld(index) for index in range(2)]
    points = np.array(curvePoints(node))
    assert points[0] == pytest.approx(ends[0]) and points[-1] == pytest.approx(ends[1])


@pytest.mark.parametrize("kind", ["Curve", "ClosedCurve", "Line"])
def test_curves_with_too_few_points(scene: Any, kind: str) -> None:
    assert curvePoints(None) == []
    assert curvePoints(curve(scene, kind)) == []
    assert curvePoints(curve(scene, kind, (1, 2, 3))) == [(1.0, 2.0, 3.0)]
    same = curvePoints(curve(scene, kind, (1, 2, 3), (1, 2, 3)))
    assert same == [(1.0, 2.0, 3.0)]


def test_a_point_not_placed_yet_is_left_out(scene: Any) -> None:
    node = curve(scene, "Curve", (0, 0, 0), (0, 0, 10), (50, 0, 10))
    node.SetNthControlPointPositionMissing(2)
    points = np.array(curvePoints(node))
    assert points[:, 0].max() < 1e-6 and points[-1] == pytest.approx((0, 0, 10))
