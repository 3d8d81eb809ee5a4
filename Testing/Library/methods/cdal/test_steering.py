import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.steering import first_classes, nearness, steered_classes
from DiffusionSegLib.methods.constraints import FREE
from DiffusionSegLib.nouns.geometry import Geometry

SHAPE = (3, 20, 30)
GRID = Geometry(SHAPE, (1.0, 1.0, 2.0))


def blocks(**levels: float) -> np.ndarray:
    """One label; `left` and `right` are the probabilities of two separate blocks, (1, K, J, I)."""
    mean = np.zeros((1, *SHAPE), np.float32)
    mean[:, :, 4:16, 3:13] = levels.get("left", 0.0)
    mean[:, :, 4:16, 18:28] = levels.get("right", 0.0)
    return mean


def marks(include: list[tuple[int, int, int]] = (), exclude: list[tuple[int, int, int]] = ()):
    fixed = np.full(SHAPE, FREE, np.int16)
    for place in include:
        fixed[place] = 1
    for place in exclude:
        fixed[place] = 0
    return fixed


def test_without_marks_it_is_the_first_outline():
    mean = blocks(left=0.9, right=0.4)
    assert np.array_equal(steered_classes(mean, marks(), GRID), (mean[0] >= 0.5).astype(int))


def test_an_including_click_adds_what_the_network_half_believed():
    mean = blocks(left=0.9, right=0.2)
    classes = steered_classes(mean, marks(include=[(1, 10, 22)]), GRID)
    assert np.array_equal(classes > 0, mean[0] > 0)


def test_what_the_network_does_not_believe_at_all_is_only_the_mark():
    mean = blocks(left=0.9)
    classes = steered_classes(mean, marks(include=[(1, 10, 22)]), GRID)
    assert (classes > 0).sum() == (mean[0] > 0).sum() + 1


def test_a_mark_that_the_outline_agrees_with_changes_nothing():
    mean = blocks(left=0.9, right=0.2)
    first = steered_classes(mean, marks(), GRID)
    kept = marks(include=[(1, 10, 6)], exclude=[(1, 10, 22)])
    assert np.array_equal(steered_classes(mean, kept, GRID), first)


def test_an_excluding_click_takes_a_small_wrong_block_whole():
    mean = blocks(left=0.9)
    mean[:, :, 7:14, 19:26] = 0.6
    classes = steered_classes(mean, marks(exclude=[(1, 10, 22)]), GRID)
    assert np.array_equal(classes > 0, mean[0] == np.float32(0.9))


def test_an_excluding_click_leaves_the_far_end_of_a_large_outline():
    mean = np.zeros((1, *SHAPE), np.float32)
    mean[:, :, 4:16] = 0.9  # 30 long
    mean[:, :, 4:16, 20:] = 0.7
    classes = steered_classes(mean, marks(exclude=[(1, 10, 27)]), GRID)
    assert classes[1, 10, 27] == 0 and classes[1, 5, 24] == 0
    assert (classes[:, 4:16, :18] == 1).all()


def test_an_excluding_click_leaves_what_is_nearer_to_an_including_one():
    mean = blocks(left=0.9)
    near_edge, middle = (1, 10, 11), (1, 10, 6)
    alone = steered_classes(mean, marks(exclude=[near_edge]), GRID)
    both = steered_classes(mean, marks(include=[middle], exclude=[near_edge]), GRID)
    assert 0 < (alone > 0).sum() < (both > 0).sum() < (mean[0] > 0).sum()
    assert (both[1, 8:13, 4:8] == 1).all()


def test_an_included_block_takes_the_class_of_the_click():
    mean = np.concatenate([blocks(right=0.1), blocks(left=0.9, right=0.2)])
    fixed = marks(include=[(1, 10, 22)])
    fixed[1, 10, 22] = 2
    classes = steered_classes(mean, fixed, GRID)
    assert set(np.unique(classes[:, 4:16, 18:28])) == {2}


@given(st.integers(0, 500), st.sampled_from([(1, 1, 1), (1, 9, 7), (4, 5, 6)]))
def test_marked_voxels_are_exact_on_any_grid(seed, shape):
    rng = np.random.default_rng(seed)
    mean = rng.random((2, *shape), dtype=np.float32) / 2
    fixed = rng.choice([FREE, FREE, FREE, 0, 1, 2], shape).astype(np.int16)
    classes = steered_classes(mean, fixed, Geometry(shape))
    assert np.array_equal(classes[fixed != FREE], fixed[fixed != FREE])
    assert classes.min() >= 0 and classes.max() <= 2


@pytest.mark.parametrize("step", [0.5, 3.0])
def test_reach_is_measured_in_millimetres(step):
    """The same voxels farther apart give the same answer: the ball scales with the outline."""
    mean = blocks(left=0.9, right=0.6)
    grid = Geometry(SHAPE, (step, step, 2 * step))
    fixed = marks(exclude=[(1, 10, 6)])
    expected = steered_classes(mean, fixed, GRID)
    assert np.array_equal(steered_classes(mean, fixed, grid), expected)


def test_only_the_surroundings_of_a_change_are_drawn_again():
    changed = np.zeros(SHAPE, bool)
    changed[:, 8:12, 4:8] = True
    weight = nearness(changed, GRID)
    assert (weight[changed] == 1).all()
    assert (weight[:, :, 20:] == 0).all()
    assert 0 < weight[1, 10, 12] < 1 or weight[1, 10, 13] < 1
    assert not nearness(np.zeros(SHAPE, bool), GRID).any()


@pytest.mark.parametrize("shape", [(1, 1, 9), (1, 9, 9), (9, 9, 9)])
def test_one_changed_voxel_reaches_its_neighbours_in_any_dimension(shape):
    changed = np.zeros(shape, bool)
    middle = tuple(count // 2 for count in shape)
    changed[middle] = True
    weight = nearness(changed, Geometry(shape))
    assert weight[middle] == 1 and weight[(*middle[:2], middle[2] + 1)] == 1
    assert weight[(*middle[:2], 0)] == 0


def test_the_first_outline_is_the_most_probable_class_from_one_half_on():
    mean = np.array([[[[0.3, 0.2, 0.9, 0.0]]], [[[0.2, 0.2, 0.05, 0.6]]]], np.float16)
    assert first_classes(mean).tolist() == [[[1, 0, 1, 2]]]
