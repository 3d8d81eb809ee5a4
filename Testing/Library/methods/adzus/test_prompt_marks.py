import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.adzus.prompt_marks import marks_of
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt
from Testing.Library.geometries import KIND_NAMES, KINDS, SHEARED, geometries, grid


def stack_of(geometry: Geometry, axis: int = 0) -> SliceStack:
    return SliceStack(Image(np.zeros((1, *geometry.shape_kji), np.uint8), geometry), axis)


def canvas_of(stack: SliceStack, factor: float = 1.0):
    """What Plane.on_canvas does, and the canvas's size."""
    size = tuple(max(8, round(side * factor)) for side in stack.size)
    scale = np.asarray(size) / np.asarray(stack.size)
    return (lambda places: (np.asarray(places, float) + 0.5) * scale - 0.5), size


def marked(prompt: Prompt, stack: SliceStack, factor: float = 1.0):
    return marks_of(prompt, stack, *canvas_of(stack, factor))


def at(geometry: Geometry, kji) -> tuple[float, float, float]:
    x, y, z = geometry.kji_to_ras([kji])[0]
    return float(x), float(y), float(z)


@settings(max_examples=80, deadline=None)
@given(st.data(), geometries(), st.integers(0, 2), st.floats(1.5, 6.0))
def test_points_come_in_order_on_their_slice_and_pixel(data, geometry, axis, factor):
    stack = stack_of(geometry, axis)
    voxel = st.tuples(*(st.integers(0, n - 1) for n in geometry.shape_kji))
    voxels = data.draw(st.lists(voxel, min_size=1, max_size=5, unique=True))
    includes = data.draw(st.lists(st.booleans(), min_size=len(voxels), max_size=len(voxels)))
    points = tuple(Point(at(geometry, v), i) for v, i in zip(voxels, includes, strict=True))
    marks = marked(Prompt(points=points), stack, factor)
    to_canvas, size = canvas_of(stack, factor)
    expected: dict[int, list] = {}
    for place, include in zip(voxels, includes, strict=True):
        others = [place[a] for a in range(3) if a != axis]
        # Half a voxel from the center there is a border: centers are safe from rounding.
        pixel = np.clip(np.rint(to_canvas([others])[0] + 1e-9), 0, np.array(size) - 1)
        expected.setdefault(place[axis], []).append((pixel, include))
    assert list(marks.hints) == list(expected)
    assert not marks.boxes
    for number, hints in marks.hints.items():
        assert len(hints) == len(expected[number])
        for hint, (pixel, include) in zip(hints, expected[number], strict=True):
            assert hint.include == include
            assert hint.is_click
            assert np.abs(hint.pixels - pixel).max() <= 1


@given(geometries(), st.floats(-0.45, 0.45))
def test_a_point_between_slices_counts_on_the_nearest(geometry, offset):
    stack = stack_of(geometry)
    marks = marked(Prompt(points=(Point(at(geometry, (1 + offset, 1, 1))),)), stack)
    assert list(marks.hints) == [1]


@settings(max_examples=40, deadline=None)
@given(geometries(largest=7), st.integers(0, 2), st.integers(0, 1000))
def test_strokes_are_the_connected_parts_of_every_slice(geometry, axis, seed):
    stack = stack_of(geometry, axis)
    rng = np.random.default_rng(seed)
    strokes = rng.choice([0, 1, 2], geometry.shape_kji, p=[0.7, 0.15, 0.15]).astype(np.uint8)
    assume(strokes.any())
    marks = marked(Prompt(scribbles=Mask(strokes, geometry)), stack, 8.0)
    to_canvas, _ = canvas_of(stack, 8.0)
    shown = stack.to_stack(strokes)
    assert list(marks.hints) == np.flatnonzero(shown.any(axis=(1, 2))).tolist()
    for number, hints in marks.hints.items():
        kinds = [hint.include for hint in hints]
        assert kinds == sorted(kinds, reverse=True)
        for value, include in ((1, True), (2, False)):
            chosen = [hint.pixels for hint in hints if hint.include == include]
            pixels = np.concatenate([np.empty((0, 2), np.int64), *chosen])
            expected = np.rint(to_canvas(np.argwhere(shown[number] == value)))
            assert sorted(map(tuple, pixels)) == sorted(map(tuple, expected.clip(0, None)))
        assert not any(hint.is_click for hint in hints)


def test_parts_that_touch_at_corners_are_one_hint_and_others_two():
    geometry = Geometry((1, 16, 16))
    strokes = np.zeros((1, 16, 16), np.uint8)
    strokes[0, [2, 3, 4], [2, 3, 4]] = 1
    strokes[0, 2, 8:12] = 1
    hints = marked(Prompt(scribbles=Mask(strokes, geometry)), stack_of(geometry)).hints[0]
    assert [len(hint.pixels) for hint in hints] == [3, 4]


def test_a_long_stroke_is_thinned_evenly_and_the_same_every_time():
    geometry = Geometry((1, 64, 64))
    strokes = np.zeros((1, 64, 64), np.uint8)
    strokes[0, 5:60, 5:60] = 2
    prompt = Prompt(scribbles=Mask(strokes, geometry))
    first, second = (marked(prompt, stack_of(geometry)).hints[0][0] for _ in range(2))
    assert len(first.pixels) == len(np.unique(first.pixels, axis=0)) == 400
    assert np.array_equal(first.pixels, second.pixels)
    assert first.pixels.min(axis=0).tolist() == [5, 5]
    assert first.pixels.max(axis=0).tolist() == [59, 59]


def test_a_stroke_on_a_smaller_canvas_keeps_each_pixel_once():
    geometry = Geometry((1, 40, 40))
    strokes = np.zeros((1, 40, 40), np.uint8)
    strokes[0, 10, 10:30] = 1
    pixels = marked(Prompt(scribbles=Mask(strokes, geometry)), stack_of(geometry), 0.5).hints[0][0]
    assert len(pixels.pixels) == len(np.unique(pixels.pixels, axis=0)) <= 11


GEOMETRIES = [*(grid(**kind) for kind in KINDS), SHEARED]
NAMES = [*KIND_NAMES, "sheared"]


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=NAMES)
def test_a_box_holds_the_pixels_whose_center_lies_in_it(geometry, axis):
    stack = stack_of(geometry, axis)
    center = np.array(at(geometry, (2.1, 3.2, 4.3)))
    box = Box(tuple(center), (4.1, 3.3, 5.2))  # along RAS: turned where the grid is oblique
    marks = marked(Prompt(boxes=(box,)), stack, 8.0)
    _, size = canvas_of(stack, 8.0)
    scale = np.asarray(size) / np.asarray(stack.size)
    places = (np.indices(size).reshape(2, -1).T + 0.5) / scale - 0.5
    for number in range(stack.count):
        positions = geometry.kji_to_ras(np.insert(places, axis, number, axis=1))
        offsets = np.abs(positions - center) - np.array([4.1, 3.3, 5.2]) / 2
        expected = (offsets <= 1e-6).all(axis=1).reshape(size)
        if expected.any():
            assert np.array_equal(marks.boxes[number], expected)
        else:
            assert number not in marks.boxes
    assert marks.box_middles[0] in marks.boxes


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_the_middle_slice_of_a_box(kind):
    geometry = grid(**kind)
    axes = np.asarray(geometry.ijk_to_ras[:3, :3]) / np.asarray(geometry.spacing_mm)
    size = np.array([3.0, 3.0, 3.0]) * geometry.spacing_mm
    nested = tuple(tuple(row) for row in axes)
    box = Box(at(geometry, (2, 3, 4)), tuple(size), nested)
    marks = marked(Prompt(boxes=(box,)), stack_of(geometry))
    assert sorted(marks.boxes) == [1, 2, 3]
    assert marks.box_middles == (2,)


def test_a_flat_box_on_a_picture_has_no_depth():
    geometry = Geometry((1, 20, 20))
    low, high = at(geometry, (0, 4, 6)), at(geometry, (0, 9, 12))
    flat = Box.from_corners((*low[:2], 5.0), (*high[:2], 5.0))
    boxes = marked(Prompt(boxes=(flat,)), stack_of(geometry)).boxes
    assert list(boxes) == [0]
    assert np.argwhere(boxes[0]).min(axis=0).tolist() == [4, 6]
    assert np.argwhere(boxes[0]).max(axis=0).tolist() == [9, 12]


def test_a_box_between_two_slices_counts_on_the_nearest():
    geometry = Geometry((4, 9, 9), (1.0, 1.0, 5.0))
    box = Box(at(geometry, (1.4, 4, 4)), (4.0, 4.0, 1.0))
    marks = marked(Prompt(boxes=(box,)), stack_of(geometry))
    assert list(marks.boxes) == [1]
    assert marks.boxes[1].sum() == 25


def test_boxes_are_joined():
    geometry = Geometry((1, 20, 20))
    corners = [((0, 2, 2), (0, 5, 5)), ((0, 4, 4), (0, 9, 9))]
    boxes = tuple(Box.from_corners(at(geometry, a), at(geometry, b)) for a, b in corners)
    marks = marked(Prompt(boxes=boxes), stack_of(geometry))
    assert marks.boxes[0].sum() == 16 + 36 - 4
    assert marks.box_middles == (0, 0)


@settings(deadline=None)
@given(geometries())
def test_an_included_and_an_excluded_voxel_is_refused(geometry):
    place, beside = at(geometry, (1, 1, 1)), at(geometry, (1.1, 0.9, 1))
    prompt = Prompt(points=(Point(place), Point(beside, False)))
    with pytest.raises(PromptError, match=r"both include and exclude one voxel; remove"):
        marked(prompt, stack_of(geometry))
    same = Prompt(points=(Point(place), Point(beside)))
    assert len(marked(same, stack_of(geometry)).hints[1]) == 2


@pytest.mark.parametrize("include", [True, False])
def test_a_point_on_a_stroke_of_the_other_kind_is_refused(include):
    geometry = grid(oblique=True, anisotropic=True)
    strokes = np.zeros(geometry.shape_kji, np.uint8)
    strokes[2, 3, 2:7] = 2 if include else 1
    points = (Point(at(geometry, (2, 3, 4)), include),)
    with pytest.raises(PromptError, match="a voxel that a stroke"):
        marked(Prompt(points=points, scribbles=Mask(strokes, geometry)), stack_of(geometry))
    strokes[strokes > 0] = 1 if include else 2
    marks = marked(Prompt(points=points, scribbles=Mask(strokes, geometry)), stack_of(geometry))
    assert [hint.is_click for hint in marks.hints[2]] == [True, False]


def test_what_is_included_outside_every_box_is_refused():
    geometry = grid()
    stack = stack_of(geometry)
    box = Box(at(geometry, (2, 3, 3)), (3.0, 3.0, 3.0))
    outside = at(geometry, (2, 3, 7))
    with pytest.raises(PromptError, match="outside every box; enlarge a box or remove the point"):
        marked(Prompt(points=(Point(outside),), boxes=(box,)), stack)
    marked(Prompt(points=(Point(outside, False),), boxes=(box,)), stack)
    strokes = np.zeros(geometry.shape_kji, np.uint8)
    strokes[2, 3, 6:8] = 1
    with pytest.raises(PromptError, match="stroke of 2 included voxels lies outside every box"):
        marked(Prompt(scribbles=Mask(strokes, geometry), boxes=(box,)), stack)
    strokes[2, 3, 4:6] = 1  # now it begins inside
    marked(Prompt(scribbles=Mask(strokes, geometry), boxes=(box,)), stack)


def test_strokes_beside_the_image_are_refused():
    geometry = Geometry((1, 9, 9))
    beside = Geometry((1, 9, 9), origin_lps=(100.0, 0.0, 0.0))
    strokes = np.ones((1, 9, 9), np.uint8)
    with pytest.raises(PromptError, match="None of the 81 painted voxels"):
        marked(Prompt(scribbles=Mask(strokes, beside)), stack_of(geometry))


def test_an_empty_prompt_marks_nothing():
    marks = marked(Prompt(), stack_of(grid()))
    assert not marks.hints
    assert not marks.boxes
