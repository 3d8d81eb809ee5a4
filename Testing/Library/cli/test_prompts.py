"""The same place, said in three frames."""

import argparse

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.cli.arguments import PointArgument
from DiffusionSegLib.cli.prompts import prompt_from
from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image

ANGLE = np.radians(25)
OBLIQUE_LEFT_HANDED = Geometry(
    (10, 20, 30),
    (0.7, 1.1, 3.0),
    (-12.0, 40.0, 100.0),
    (
        (np.cos(ANGLE), np.sin(ANGLE), 0.0),
        (np.sin(ANGLE), -np.cos(ANGLE), 0.0),
        (0.0, 0.0, 1.0),
    ),
)


def volume(geometry=OBLIQUE_LEFT_HANDED):
    return Image(np.zeros((1, *geometry.shape_kji), np.uint8), geometry)


def words(frame="ras", points=(), boxes=(), region=None, text=""):
    return argparse.Namespace(
        text=text, point=list(points), box=list(boxes), region=region, frame=frame
    )


@given(st.integers(0, 29), st.integers(0, 19), st.integers(0, 9))
def test_a_point_is_the_same_voxel_in_every_frame(i, j, k):
    x, y, z = OBLIQUE_LEFT_HANDED.kji_to_ras([(k, j, i)])[0]
    for frame, values in (("ras", (x, y, z)), ("lps", (-x, -y, z)), ("pixel", (i, j, k))):
        prompt = prompt_from(words(frame, [PointArgument(values, False)]), volume())
        assert prompt.points_kji(OBLIQUE_LEFT_HANDED)[0] == pytest.approx((k, j, i), abs=1e-6)
        assert prompt.points[0].include is False


def test_a_pixel_box_holds_exactly_its_pixels_in_an_oblique_volume():
    prompt = prompt_from(words("pixel", boxes=[(3, 5, 2, 9, 6, 2)]), volume())
    assert prompt.boxes[0].slices_kji(OBLIQUE_LEFT_HANDED) == (
        slice(2, 3), slice(5, 7), slice(3, 10),
    )  # fmt: skip


def test_a_pixel_box_in_tilted_slices_is_answered_with_what_to_do():
    tilt = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.3), (0.0, 0.0, 0.954))
    sheared = volume(Geometry((10, 20, 30), direction=tilt))
    with pytest.raises(PromptError, match=r"sheared.* give the box in mm, with --frame ras"):
        prompt_from(words("pixel", boxes=[(3, 5, 2, 9, 6, 2)]), sheared)
    assert prompt_from(words("lps", boxes=[(3, 5, 2, 9, 6, 4)]), sheared).boxes


def test_corners_may_come_in_any_order_and_frame():
    straight = volume(Geometry((10, 20, 30), origin_lps=(-29.0, -19.0, 0.0)))
    ras = prompt_from(words("ras", boxes=[(2, 3, 4, 10, 12, 8)]), straight).boxes[0]
    lps = prompt_from(words("lps", boxes=[(-10, -3, 8, -2, -12, 4)]), straight).boxes[0]
    for box in (ras, lps):
        assert box.center_ras == pytest.approx((6, 7.5, 6))
        assert box.size_mm == pytest.approx((8, 9, 4))


def test_a_picture_takes_two_coordinates():
    photograph = volume(Geometry((1, 40, 50)))
    prompt = prompt_from(
        words("pixel", [PointArgument((12, 30), True)], [(1, 2, 5, 9)], (0, 0, 20, 20)), photograph
    )
    assert prompt.points_kji(photograph.geometry)[0] == pytest.approx((0, 30, 12))
    assert prompt.boxes[0].slices_kji(photograph.geometry)[1:] == (slice(2, 10), slice(1, 6))
    assert prompt.region is not None
    in_mm = prompt_from(words("ras", [PointArgument((-12, -30), True)]), photograph)
    assert in_mm.points_kji(photograph.geometry)[0] == pytest.approx((0, 30, 12))


def test_a_volume_wants_three():
    with pytest.raises(PromptError, match="two coordinates; give three"):
        prompt_from(words("pixel", [PointArgument((1, 2), True)]), volume())


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": [PointArgument((900.0, 0.0, 0.0), True)]},
        {"boxes": [(900.0, 0.0, 0.0, 910.0, 5.0, 5.0)]},
        {"region": (900.0, 0.0, 0.0, 910.0, 5.0, 5.0)},
    ],
)
def test_places_outside_the_image_are_refused(wrong):
    with pytest.raises(PromptError, match="outside the image"):
        prompt_from(words("ras", **wrong), volume())
