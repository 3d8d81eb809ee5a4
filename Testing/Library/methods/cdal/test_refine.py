"""What the user fixed survives bit for bit, whatever the network thinks."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.refine import start_mask
from DiffusionSegLib.methods.constraints import FREE
from DiffusionSegLib.methods.pinning import pin, user_voxels
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from Testing.Library.geometries import grid, rotation
from Testing.Library.toy_model import smooth_image, toy_session, write_toy

THRESHOLDS = (0.05, 0.25, 0.5, 0.75, 0.95)
CASES = {
    "picture": ("gray", Geometry((1, 22, 18))),
    "turned picture": ("gray", grid((1, 22, 18), oblique=True)),
    "volume": ("volume", Geometry((7, 14, 12))),
    "oblique volume": ("volume", grid((6, 13, 15), True, True, True)),
    "two labels": ("parts", Geometry((7, 14, 12), (0.8, 1.1, 1.4))),
    "oblique, two labels": ("parts", grid((6, 13, 15), True, True, False, True)),
    "slices": ("gray", grid((3, 14, 12), anisotropic=True)),
}
slowly = settings(max_examples=8, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """One session per case with its image set, and its first outline."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("gray", "volume", "parts"):
        write_toy(folder, name)
    opened = {}
    for case, (name, geometry) in CASES.items():
        session = toy_session(folder, name, samples=1)
        session.set_image(smooth_image(geometry))
        opened[case] = session, session.propose().mask()
    return opened


def random_edit(rng, before, labels):
    """Some blocks painted with any label or erased, and some single voxels."""
    edited = before.array.copy()
    for _ in range(rng.integers(1, 4)):
        corner = [rng.integers(0, size) for size in edited.shape]
        block = tuple(slice(c, c + rng.integers(1, 5)) for c in corner)
        edited[block] = rng.integers(0, labels + 1)
    edited[tuple(rng.integers(0, size) for size in edited.shape)] = rng.integers(0, labels + 1)
    return Mask(edited, before.geometry)


@pytest.mark.parametrize("case", CASES)
@slowly
@given(seed=st.integers(0, 2**32 - 1), known=st.booleans())
def test_painted_and_erased_voxels_survive(sessions, case, seed, known):
    session, before = sessions[case]
    labels = len(session.model.labels)
    edited = random_edit(np.random.default_rng(seed), before, labels)
    changed = edited.array != before.array
    if known:
        session.propose()
    found = session.refine(edited, original=None if known else before)
    for threshold in THRESHOLDS:
        assert np.array_equal(found.mask(threshold).array[changed], edited.array[changed])


@pytest.mark.parametrize("case", CASES)
@slowly
@given(seed=st.integers(0, 2**32 - 1), refined=st.booleans())
def test_scribbles_and_clicks_survive(sessions, case, seed, refined):
    session, before = sessions[case]
    rng = np.random.default_rng(seed)
    geometry = before.geometry
    strokes = rng.choice(3, geometry.shape_kji, p=[0.9, 0.05, 0.05]).astype(np.uint8)
    index = [rng.integers(0, size) for size in geometry.shape_kji]
    sign = rng.choice(["+", "-"])
    point = (*geometry.kji_to_ras([index])[0], str(sign))
    prompt = Prompt(points=[point], scribbles=Mask(strokes, geometry))
    found = session.refine(before, prompt, original=before) if refined else session.propose(prompt)
    fixed = strokes.copy()
    fixed[near(session, geometry, index)] = 0  # where click and scribble may disagree
    for threshold in THRESHOLDS:
        mask = found.mask(threshold).array
        assert (mask[fixed == 1] > 0).all()
        assert (mask[fixed == 2] == 0).all()
        assert (mask[tuple(index)] > 0) == (sign == "+")


def near(session, geometry, index):
    """The ball of a click of the default size, a little more."""
    spacing = max(session._prepared[-1].embedding.grid.spacing_mm)
    places = geometry.kji_to_ras(np.indices(geometry.shape_kji).reshape(3, -1).T)
    distance = np.linalg.norm(places - geometry.kji_to_ras([index])[0], axis=1)
    return (distance <= 1.6 * spacing).reshape(geometry.shape_kji)


@pytest.mark.parametrize("case", CASES)
@slowly
@given(seed=st.integers(0, 2**32 - 1), refined=st.booleans())
def test_nothing_lies_outside_the_boxes(sessions, case, seed, refined):
    session, before = sessions[case]
    rng = np.random.default_rng(seed)
    geometry = before.geometry
    places = geometry.kji_to_ras(np.indices(geometry.shape_kji).reshape(3, -1).T)
    boxes, allowed = [], np.zeros(len(places), bool)
    for _ in range(rng.integers(1, 3)):
        center = geometry.kji_to_ras([[rng.integers(0, n) for n in geometry.shape_kji]])[0]
        turn = rotation(tuple(rng.uniform(-40, 40, 3)))
        if geometry.shape_kji[0] == 1:  # drawn in the plane of the picture
            turn = np.diag([-1, -1, 1]) @ np.asarray(geometry.direction) @ rotation((0, 0, 30))
        boxes.append(Box(tuple(center), tuple(rng.uniform(2, 9, 3)), as_direction(turn)))
        allowed |= boxes[-1].contains(places)
    prompt = Prompt(boxes=boxes)
    found = session.refine(before, prompt, original=before) if refined else session.propose(prompt)
    for threshold in THRESHOLDS:
        mask = found.mask(threshold).array.ravel() > 0
        assert not mask[~allowed].any()
    if not refined:
        free = session.propose().probability.array
        inside = free.sum(axis=0, dtype=np.float32).ravel() >= 0.5
        assert np.array_equal(found.mask().array.ravel() > 0, inside & allowed)


def test_a_turned_box_on_a_picture_is_not_its_bounding_block(sessions):
    session, _ = sessions["picture"]
    center = tuple(CASES["picture"][1].kji_to_ras([0, 11, 9])[0])
    for depth, height in ((0.0, 0.0), (3.0, 40.0)):  # depth does not count
        place = (*center[:2], height)
        box = Box(place, (9.0, 9.0, depth), as_direction(rotation((0, 0, 45))))
        found = session.propose(Prompt(boxes=[box])).probability.array[0, 0] > 0
        assert 70 <= found.sum() <= 92
        assert found[11, 9]
        assert not found[11 - 5, 9 - 5]
        assert found[11 - 5, 9]


def test_user_voxels_join_edits_and_prompt():
    geometry = Geometry((1, 3, 4))
    before = Mask(np.zeros((1, 3, 4), np.uint8), geometry)
    edited = Mask(np.array([[[5, 5, 0, 0]] * 3], np.uint8), geometry)
    strokes = np.zeros((1, 3, 4), np.uint8)
    strokes[0, 0] = 2, 0, 1, 0
    prompt = Prompt(scribbles=Mask(strokes, geometry))
    fixed = user_voxels(edited, before, (4, 5), prompt, 0.5)
    assert fixed.tolist() == [[[0, 2, 1, FREE], [2, 2, FREE, FREE], [2, 2, FREE, FREE]]]
    fixed = user_voxels(edited, None, (4, 5), Prompt(), 0.5)
    assert (fixed == FREE).all()


def test_the_start_is_the_mask_with_the_fixed_voxels_in_it():
    geometry = Geometry((1, 1, 4))
    mask = Mask(np.array([[[0, 9, 9, 4]]], np.uint8), geometry)
    fixed = np.array([[[1, 0, FREE, FREE]]], np.int16)
    one = start_mask(mask, (9,), geometry, fixed)
    assert one.tolist() == [[[[1, -1, 1, -1]]]]
    two = start_mask(mask, (9, 4), geometry, fixed)
    assert two[:, 0, 0].tolist() == [[-1, 1, -1, -1], [1, -1, 1, -1], [-1, -1, -1, 1]]
    alone = start_mask(None, (9,), geometry, fixed)
    assert alone.tolist() == [[[[1, -1, -1, -1]]]]


def test_pinned_probabilities_are_exactly_one_and_zero():
    geometry = Geometry((2, 2, 2))
    probability = Image(np.full((2, 2, 2, 2), 0.3, np.float16), geometry)
    fixed = np.full((2, 2, 2), FREE, np.int16)
    fixed[0, 0, 0], fixed[0, 0, 1], fixed[1, 1, 1] = 2, 0, 1
    found = pin(probability, geometry, fixed, ()).array
    assert found.dtype == np.float16
    assert found[:, 0, 0, 0].tolist() == [0, 1]
    assert found[:, 0, 0, 1].tolist() == [0, 0]
    assert found[:, 1, 1, 1].tolist() == [1, 0]
    assert np.array_equal(found[:, fixed == FREE], probability.array[:, fixed == FREE])
    assert (probability.array == np.float16(0.3)).all()
