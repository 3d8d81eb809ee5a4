"""Simulated mistakes and the strokes that repair them."""

import numpy as np
import pytest

from DiffusionSegLib.evaluation.metrics import dice
from Testing.Benchmarks.mask_errors import object_radius_mm, with_mistakes, with_strokes

SPACING = (2.0, 1.0, 1.0)


def truth() -> np.ndarray:
    k, j, i = np.ogrid[:24, :48, :48]
    inside = ((k - 12) * 2.0) ** 2 + (j - 24) ** 2 + (i - 24) ** 2 <= 12**2
    return np.where(inside, np.where(j < 24, 1, 2), 0).astype(np.uint8)


def test_the_radius_is_that_of_the_ball() -> None:
    assert object_radius_mm(truth() > 0, SPACING) == pytest.approx(12, rel=0.03)
    disk = truth()[12:13] > 0
    assert object_radius_mm(disk, SPACING) == pytest.approx(12, rel=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_mistakes_erase_and_add_and_use_known_labels_only(seed: int) -> None:
    wrong = with_mistakes(truth(), SPACING, np.random.default_rng(seed))
    assert ((truth() > 0) & (wrong == 0)).any()
    assert ((truth() == 0) & (wrong > 0)).any()
    assert set(np.unique(wrong)) <= {0, 1, 2}
    assert 0.3 < dice(wrong > 0, truth() > 0) < 0.95


def test_every_stroke_paints_the_truth_and_helps() -> None:
    wrong = with_mistakes(truth(), SPACING, np.random.default_rng(0))
    assert np.array_equal(with_strokes(wrong, truth(), 0, SPACING), wrong)
    last = dice(wrong > 0, truth() > 0)
    for count in (1, 3, 5):
        edited = with_strokes(wrong, truth(), count, SPACING)
        changed = edited != wrong
        assert changed.any()
        assert (edited[changed] == truth()[changed]).all()
        assert dice(edited > 0, truth() > 0) > last
        last = dice(edited > 0, truth() > 0)


def test_many_strokes_repair_everything_and_stop() -> None:
    wrong = with_mistakes(truth(), SPACING, np.random.default_rng(1))
    edited = with_strokes(wrong, truth(), 1000, SPACING)
    assert np.array_equal(edited > 0, truth() > 0)
