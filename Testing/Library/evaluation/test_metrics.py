"""Against tables worked out by hand and against MONAI."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.metrics import dice, hausdorff95, iou, volume_error_percent


def block(shape, *slices):
    mask = np.zeros(shape, dtype=bool)
    mask[slices] = True
    return mask


# (predicted pixels, true pixels, dice, iou, volume error %)
TABLE = [
    ([1, 1, 0, 0], [1, 1, 0, 0], 1.0, 1.0, 0.0),
    ([1, 1, 1, 1], [1, 1, 0, 0], 2 / 3, 1 / 2, 100.0),
    ([0, 1, 1, 0], [1, 1, 0, 0], 1 / 2, 1 / 3, 0.0),
    ([0, 0, 1, 1], [1, 1, 0, 0], 0.0, 0.0, 0.0),
    ([0, 1, 0, 0], [1, 1, 1, 1], 2 / 5, 1 / 4, -75.0),
    ([0, 0, 0, 0], [1, 1, 0, 0], 0.0, 0.0, -100.0),
    ([0, 0, 0, 0], [0, 0, 0, 0], 1.0, 1.0, 0.0),
]


@pytest.mark.parametrize("row", TABLE)
def test_hand_computed_table(row):
    predicted, truth = (np.array([pixels], dtype=bool) for pixels in row[:2])
    assert dice(predicted, truth) == pytest.approx(row[2])
    assert iou(predicted, truth) == pytest.approx(row[3])
    assert volume_error_percent(predicted, truth) == pytest.approx(row[4])


def test_something_where_nothing_is_has_no_relative_volume_and_no_distance():
    predicted, truth = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    assert dice(predicted, truth) == 0.0
    assert math.isnan(volume_error_percent(predicted, truth))
    assert math.isnan(hausdorff95(predicted, truth, (1, 1)))
    assert math.isnan(hausdorff95(truth, predicted, (1, 1)))


def test_both_empty_are_equal():
    nothing = np.zeros((3, 3), bool)
    assert hausdorff95(nothing, nothing, (1, 1)) == 0.0


@pytest.mark.parametrize(("axis", "millimetres"), [(0, 5.0), (1, 0.7), (2, 1.3)])
def test_distance_of_single_voxels_uses_the_spacing_of_their_axis(axis, millimetres):
    spacing = (5.0, 0.7, 1.3)
    first, second = np.zeros((9, 9, 9), bool), np.zeros((9, 9, 9), bool)
    place = [4, 4, 4]
    first[tuple(place)] = True
    place[axis] += 3
    second[tuple(place)] = True
    assert hausdorff95(first, second, spacing) == pytest.approx(3 * millimetres)


def test_a_few_far_voxels_do_not_count_but_more_than_five_percent_do():
    truth = block((1, 300), 0, slice(0, 100))
    one_far, ten_far = truth.copy(), truth.copy()
    one_far[0, 250] = True
    ten_far[0, 250:260] = True
    assert hausdorff95(one_far, truth, (1, 1)) == 0.0
    assert hausdorff95(ten_far, truth, (1, 1)) > 100.0


def test_touching_the_border_is_a_surface():
    whole = np.ones((5, 5), bool)
    assert hausdorff95(whole, block((5, 5), slice(1, 4), slice(1, 4)), (1, 1)) == pytest.approx(
        math.sqrt(2)
    )


masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=9))


@given(masks, st.data())
def test_symmetry_and_range(first, data):
    second = data.draw(hnp.arrays(bool, first.shape))
    spacing = tuple(data.draw(st.floats(0.3, 6.0)) for _ in first.shape)
    assert 0.0 <= iou(first, second) <= dice(first, second) <= 1.0
    assert dice(first, second) == dice(second, first)
    assert dice(first, first) == 1.0
    distance = hausdorff95(first, second, spacing)
    assert distance == hausdorff95(second, first, spacing) or math.isnan(distance)


def test_different_shapes_are_refused():
    with pytest.raises(InputError, match=r"\(2, 2\).*\(3, 3\)"):
        dice(np.ones((2, 2), bool), np.ones((3, 3), bool))
    with pytest.raises(InputError, match="one spacing per axis"):
        hausdorff95(np.ones((2, 2), bool), np.ones((2, 2), bool), (1, 1, 1))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.27, 0.98, 0.98), (0.5, 2.0, 1.25)])
def test_agrees_with_monai(spacing):
    monai_metrics = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(24)] * 3, indexing="ij"))
    for _ in range(4):
        center, radius = generator.uniform(9, 15, 3), generator.uniform(4, 8)
        truth = ((grid - center[:, None, None, None]) ** 2).sum(0) < radius**2
        shift = generator.uniform(-3, 3, 3)
        predicted = ((grid - (center + shift)[:, None, None, None]) ** 2).sum(0) < radius**2.1
        tensors = [torch.tensor(mask)[None, None].float() for mask in (predicted, truth)]
        expected = monai_metrics.compute_hausdorff_distance(
            *tensors, include_background=True, percentile=95, spacing=spacing
        )
        assert hausdorff95(predicted, truth, spacing) == pytest.approx(float(expected), rel=1e-5)
        expected_dice = monai_metrics.compute_dice(*tensors, include_background=True)
        assert dice(predicted, truth) == pytest.approx(float(expected_dice), rel=1e-6)
        expected_iou = monai_metrics.compute_iou(*tensors, include_background=True)
        assert iou(predicted, truth) == pytest.approx(float(expected_iou), rel=1e-6)
