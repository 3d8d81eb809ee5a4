"""The centred ellipsoid and the search for its radii."""

import numpy as np

from DiffusionSegLib.evaluation.metrics import dice
from Testing.Benchmarks.ellipsoid import best_radii, centred_ellipsoid


def test_radius_one_touches_every_side() -> None:
    inside = centred_ellipsoid((9, 21, 15), (1.0, 1.0, 1.0))
    assert inside[4, 10, 7]
    assert not inside[0, 0, 0]
    assert inside[0, 10, 7] and inside[4, 0, 7] and inside[4, 10, 0]
    assert (inside == inside[::-1, ::-1, ::-1]).all()


def test_a_slice_gets_an_ellipse() -> None:
    inside = centred_ellipsoid((1, 40, 40), (0.1, 0.5, 0.5))
    assert abs(inside.sum() - np.pi * 100) < 20


def test_the_search_finds_the_radii_that_made_the_masks() -> None:
    made = (0.5, 0.9, 0.3)
    truths = [centred_ellipsoid(shape, made) for shape in ((30, 40, 50), (44, 36, 60))]
    np.testing.assert_allclose(best_radii(truths), made, atol=0.05)
    assert all(dice(centred_ellipsoid(t.shape, best_radii(truths)), t) > 0.97 for t in truths)
