import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as hnp

from DiffusionSegLib.evaluation.clicks import Click, first_click, next_click

ISOTROPIC = (1.0, 1.0, 1.0)


def test_first_click_is_the_deepest_voxel_of_the_largest_part():
    truth = np.zeros((9, 20, 20), bool)
    truth[2:7, 3:10, 3:10] = True  # centre (4, 6, 6)
    truth[0, 15:17, 15:17] = True
    assert first_click(truth, ISOTROPIC) == Click((4, 6, 6), True)


def test_depth_is_measured_in_millimetres():
    # A tower (many slices, narrow) beside a plate (one slice, wide): which is thicker depends.
    truth = np.zeros((9, 13, 20), bool)
    truth[1:8, 5:8, 1:4] = True
    truth[4, 2:11, 4:13] = True
    in_voxels = first_click(truth, ISOTROPIC)
    in_mm = first_click(truth, (10.0, 1.0, 1.0))
    assert in_voxels.position_kji[2] == 2
    assert in_mm.position_kji == (4, 6, 8)


def test_a_plane_has_no_depth_across_it():
    truth = np.zeros((1, 11, 40), bool)
    truth[0, 2:9, 2:9] = True
    truth[0, 5, 9:40] = True  # a tail, which pulls the centre of mass away
    assert first_click(truth, ISOTROPIC) == Click((0, 5, 5), True)


def test_the_border_counts_as_outside():
    assert first_click(np.ones((5, 7, 9), bool), (1.0, 5.0, 5.0)).position_kji[0] == 2


def test_the_larger_error_is_clicked_with_its_sign():
    truth = np.zeros((1, 20, 30), bool)
    truth[0, 2:9, 2:9] = True
    predicted = np.zeros_like(truth)
    predicted[0, 2:9, 15:28] = True
    assert next_click(truth, predicted, ISOTROPIC).include is False
    predicted[0, 2:9, 18:28] = False  # what is left is smaller than what is missed
    assert next_click(truth, predicted, ISOTROPIC) == Click((0, 5, 5), True)


def test_nothing_left_to_click():
    truth = np.zeros((1, 4, 4), bool)
    assert first_click(truth, ISOTROPIC) is None
    truth[0, 1, 1] = True
    assert next_click(truth, truth, ISOTROPIC) is None


shapes = hnp.array_shapes(min_dims=3, max_dims=3, max_side=6)


@given(shapes.flatmap(lambda shape: hnp.arrays(bool, (2, *shape))))
def test_a_click_always_lies_in_an_error_of_its_kind(pair):
    truth, predicted = pair
    click = next_click(truth, predicted, (2.0, 1.0, 0.5))
    if click is None:
        assert np.array_equal(truth, predicted)
    else:
        assert truth[click.position_kji] == click.include
        assert predicted[click.position_kji] != click.include
