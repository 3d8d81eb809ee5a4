import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.evaluation.slices import as_drawn, best_slice, turned_to_patient
from DiffusionSegLib.nouns.geometry import Geometry

ORDERS = list(itertools.permutations(range(3)))


@given(st.sampled_from(ORDERS), st.tuples(*[st.booleans()] * 3))
def test_the_same_patient_is_shown_the_same_way_however_it_is_stored(order, flips):
    # A left-posterior-superior volume whose value tells where it is.
    reference = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    spacing_lps = (1.0, 2.0, 3.0)
    stored = reference
    direction = np.eye(3)
    for axis_kji, flip in enumerate(flips):
        if flip:
            stored = np.flip(stored, axis_kji)
            direction[:, 2 - axis_kji] *= -1
    stored = np.transpose(stored, order)
    ijk_from_old = [2 - order[2 - new] for new in range(3)]
    columns = direction[:, ijk_from_old]
    geometry = Geometry(
        stored.shape,
        tuple(spacing_lps[old] for old in ijk_from_old),
        (0.0, 0.0, 0.0),
        tuple(tuple(row) for row in columns),
    )
    turned = turned_to_patient(geometry)
    assert np.array_equal(turned.apply(stored), reference)
    assert turned.spacing_mm == (3.0, 2.0, 1.0)


def test_an_oblique_volume_is_turned_to_the_nearest_axes():
    angle = np.radians(20)
    direction = (
        (np.cos(angle), -np.sin(angle), 0.0),
        (np.sin(angle), np.cos(angle), 0.0),
        (0.0, 0.0, -1.0),
    )
    turned = turned_to_patient(Geometry((4, 5, 6), direction=direction))
    assert turned.order == (0, 1, 2)
    assert turned.flipped == (True, False, False)


@pytest.mark.parametrize(
    ("plane", "index", "spacing"),
    [("axial", 1, (2.0, 1.0)), ("coronal", 2, (3.0, 1.0)), ("sagittal", 3, (3.0, 2.0))],
)
def test_the_slice_with_most_of_the_object(plane, index, spacing):
    turned = as_drawn(Geometry((3, 4, 5), (1.0, 2.0, 3.0)))
    weight = np.zeros((3, 4, 5), bool)
    weight[1, 2, 3] = True
    shown = best_slice(turned, weight, plane)
    assert shown.index == index
    assert shown.spacing_mm == spacing
    assert shown.of(weight).sum() == 1


def test_superior_is_up():
    volume = np.zeros((3, 4, 5))
    volume[2] = 1.0  # the most superior slice
    turned = turned_to_patient(Geometry((3, 4, 5)))
    assert best_slice(turned, volume, "coronal").of(turned.apply(volume))[0].all()
    assert best_slice(turned, volume, "sagittal").of(turned.apply(volume))[0].all()


def test_without_an_object_the_middle_is_shown():
    turned = as_drawn(Geometry((5, 4, 3)))
    assert best_slice(turned, np.zeros((5, 4, 3)), "axial").index == 2
