import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt
from Testing.Library.geometries import KIND_NAMES, KINDS, geometries, grid, rotation


def test_shorthands_mean_points() -> None:
    prompt = Prompt(points=[(1, 2, 3), (1, 2, 3, "-"), [4.0, 5.0], (4, 5, "+"), Point((0, 0, 0))])
    assert [point.include for point in prompt.points] == [True, False, True, True, True]
    assert prompt.points[2].position_ras == (4.0, 5.0, 0.0)
    assert Point.of((1, 2, 3, False)) == Point((1.0, 2.0, 3.0), False)
    assert Point.parse(" 12.5, -30 ,41,- ") == Point((12.5, -30.0, 41.0), include=False)


@pytest.mark.parametrize(
    "point",
    [(1,), (1, 2, 3, 4), (1, 2, "?"), (math.nan, 0, 0), (0, math.inf, 0), "1,2,3", 7, ("a", 1, 2),
     (), (1, 2, None), (10**400, 0, 0)],
)  # fmt: skip
def test_what_is_no_point_is_refused(point: object) -> None:
    with pytest.raises(PromptError):
        Prompt(points=[point])  # type: ignore[list-item]


@given(st.text(max_size=30))
def test_any_text_is_a_point_or_a_prompt_error(text: str) -> None:
    for parse in (Point.parse, Box.parse):
        try:
            parse(text)
        except PromptError as error:
            assert "RAS mm" in str(error) or "box" in str(error)


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 3), st.sampled_from(["", ",+", ",-"]))
def test_a_printed_point_is_parsed_back(position: tuple[float, ...], sign: str) -> None:
    point = Point.parse(",".join(map(repr, position)) + sign)
    assert point.position_ras == position
    assert point.include is (sign != ",-")


def test_none_is_nothing_and_never_the_word_none() -> None:
    prompt = Prompt(text=None, points=None, boxes=None)  # type: ignore[arg-type]
    assert prompt.is_empty
    assert prompt.text == ""


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"text": 5}, "words in quotes, not 5"),
        ({"text": b"x"}, "words in quotes, not b'x'"),
        ({"text": "lesion " * 200}, r"The text has 1399 characters, .* at most 1000; shorten it\."),
        ({"text": "a\udcffb"}, r"The text 'a\\udcffb' has characters that are not in"),
        ({"points": 5}, "points of a prompt are a list, not 5"),
        ({"boxes": "0,0,0,1,1,1"}, "boxes of a prompt are a list"),
        ({"scribbles": np.zeros((2, 3, 4))}, "Scribbles are a Mask, not ndarray"),
    ],
)
def test_other_things_than_prompts_are_made_of_are_refused(
    parts: dict[str, object], words: str
) -> None:
    with pytest.raises(PromptError, match=words):
        Prompt(**parts)  # type: ignore[arg-type]


def test_control_characters_are_no_words_and_other_scripts_are() -> None:
    assert Prompt(text="a\0b\x1b[31m\tc\n").text == "a b [31m c"
    for words in ("腫瘍", "نيم\u200cفاصله", "🧠"):
        assert Prompt(text=words).text == words


def test_words_are_tidied_and_kinds_are_known() -> None:
    prompt = Prompt("  kidney \n tumour ", boxes=[(0, 0, 0, 1, 1, 1)])
    assert prompt.text == "kidney tumour"
    assert prompt.kinds == {"text", "boxes"}
    assert Prompt(region=Box((0, 0, 0), (1, 1, 1))).is_empty
    assert Prompt(scribbles=Mask.from_array(np.zeros((2, 2)))).is_empty
    assert not Prompt(points=[(0, 0, 0)]).is_empty


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_points_find_their_voxel(kind: dict[str, bool]) -> None:
    geometry = grid(**kind)
    voxels = [[0, 0, 0], [4, 6, 8], [2, 3, 1]]
    prompt = Prompt(points=[tuple(point) for point in geometry.kji_to_ras(voxels)])
    assert prompt.points_kji(geometry) == pytest.approx(np.array(voxels, float), abs=1e-9)


def test_a_point_outside_is_refused_with_the_extent() -> None:
    geometry = Geometry((2, 3, 4))
    with pytest.raises(PromptError, match=r"\(9\.0, 0\.0, 0\.0\).*R -3\.5 to 0\.5"):
        Prompt(points=[(-1, 0, 0), (9, 0, 0)]).points_kji(geometry)


def test_on_a_picture_the_third_coordinate_is_ignored() -> None:
    picture = Geometry((1, 10, 20))
    kji = Prompt(points=[(-4, -5), (-4, -5, 70)]).points_kji(picture)
    assert kji.tolist() == [[0, 5, 4], [0, 5, 4]]
    assert Prompt().points_kji(picture).shape == (0, 3)
    assert Box.from_corners((-2, -3), (-6, -8)).slices_kji(picture) == (
        slice(0, 1), slice(3, 9), slice(2, 7),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_a_box_drawn_around_voxels_selects_them(kind: dict[str, bool]) -> None:
    geometry = grid(**kind)
    first, last = np.array([1, 2, 3]), np.array([3, 4, 7])
    centre = geometry.kji_to_ras([(first + last) / 2])[0]
    size = (last - first)[::-1] * geometry.spacing_mm
    axes = geometry.ijk_to_ras[:3, :3] / geometry.spacing_mm
    box = Box(tuple(centre), tuple(size), as_direction(axes))
    assert box.slices_kji(geometry) == (slice(1, 4), slice(2, 5), slice(3, 8))
    corners = geometry.kji_to_ras(np.array([first, last, first - 1]))
    assert box.contains(corners).tolist() == [True, True, False]
    assert box.contains(corners, margin_mm=5).all()


def test_boxes_are_clipped_and_never_empty() -> None:
    geometry = Geometry((5, 5, 5))
    large = Box((0, 0, 0), (100, 100, 100)).slices_kji(geometry)
    assert large == (slice(0, 5),) * 3
    sliver = Box((-2.4, -2.4, 2.4), (0.01, 0.01, 0.01)).slices_kji(geometry)
    assert all(part.stop - part.start == 1 for part in sliver)
    with pytest.raises(PromptError, match="outside the image"):
        Box((50, 0, 0), (1, 1, 1)).slices_kji(geometry)
    assert Box((50, 0, 0), (1, 1, 1)).slices_kji(geometry, margin_mm=60) == (slice(0, 5),) * 3


@given(geometries(), st.tuples(*[st.floats(-50, 50)] * 3), st.tuples(*[st.floats(0.1, 90)] * 3))
def test_a_boxs_slices_hold_every_voxel_inside_it(
    geometry: Geometry, offset: tuple[float, ...], size: tuple[float, ...]
) -> None:
    centre = np.add(geometry.kji_to_ras([[1, 1, 1]])[0], offset)
    box = Box(tuple(centre), size, as_direction(rotation((10, 20, 30))))  # type: ignore[arg-type]
    indices = np.indices(geometry.shape_kji).reshape(3, -1).T
    inside = indices[box.contains(geometry.kji_to_ras(indices))]
    if not len(inside):
        return
    for axis, part in enumerate(box.slices_kji(geometry)):
        assert part.start <= inside[:, axis].min()
        assert inside[:, axis].max() < part.stop


@pytest.mark.parametrize(
    "make",
    [
        lambda: Box((0, 0, 0), (0, 0, 0)),
        lambda: Box((0, 0, 0), (-1, 1, 1)),
        lambda: Box((0, 0, 0), (1, 1, math.nan)),
        lambda: Box((0, 0, 0), (1, 1, 1), ((1, 0, 0), (1, 0, 0), (0, 0, 1))),
        lambda: Box.of([1, 2, 3]),
        lambda: Box.parse("1,2,3,4,5"),
        lambda: Prompt(scribbles=Mask.from_array(np.array([[3]]))),
    ],
)
def test_impossible_boxes_and_scribbles_are_refused(make: object) -> None:
    with pytest.raises(PromptError):
        make()  # type: ignore[operator]


def test_scribbles_are_brought_to_the_grid() -> None:
    scribbles = Mask.from_array(np.array([[[1, 2], [0, 0]]]))
    finer = Prompt(scribbles=scribbles).scribbles_on(Geometry((1, 4, 4)).with_shape((1, 4, 4)))
    assert finer is not None
    assert finer[0, 0, :2].tolist() == [1, 2]
    assert Prompt().scribbles_on(Geometry((1, 4, 4))) is None


def test_a_prompt_goes_into_json() -> None:
    scribbles = Mask.from_array(np.array([[1, 2, 0]]))
    prompt = Prompt(
        "x", [(1, 2, 3, "-")], [(0, 0, 0, 1, 1, 1)], scribbles, Box((0, 0, 0), (2, 2, 2))
    )
    found = json.loads(json.dumps(prompt.to_dict()))
    assert found["points"] == [[1.0, 2.0, 3.0, "-"]]
    assert found["boxes"][0]["size_mm"] == [1.0, 1.0, 1.0]
    assert found["region"]["size_mm"] == [2.0, 2.0, 2.0]
    assert found["scribbled_voxels"] == 2
    assert Prompt().to_dict() == {}
