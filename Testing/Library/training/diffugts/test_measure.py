import numpy as np
import pytest

from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL
from DiffusionSegLib.training.diffugts.measure import (
    THRESHOLDS,
    Answer,
    best_threshold,
    presence_limits,
    ranking,
)


def answers(prepared, role, qualities):
    own = [n for n, cut in enumerate(prepared.cuts) if cut.role == role]
    dice = np.zeros(len(THRESHOLDS), np.float32)
    return [Answer(own[i % len(own)], q, dice, 1.0) for i, q in enumerate(qualities)]


def test_at_most_a_tenth_of_healthy_pictures_are_called_found(prepared):
    healthy = answers(prepared, HEALTHY, np.linspace(0.1, 0.6, 30))
    tumors = answers(prepared, REAL, [0.2, 0.57, 0.7, 0.9])
    found = presence_limits(prepared, healthy + tumors, 0.1)
    assert found["healthy_found"] == pytest.approx(0.1)
    assert found["real_found"] == 0.75
    assert (found["healthy_pictures"], found["real_pictures"]) == (30, 4)


def test_at_most_a_tenth_of_tumors_are_called_absent(prepared):
    healthy = answers(prepared, HEALTHY, np.linspace(0.1, 0.6, 30))
    tumors = answers(prepared, REAL, np.linspace(0.25, 0.9, 20))
    found = presence_limits(prepared, healthy + tumors, 0.1)
    assert found["real_absent"] == pytest.approx(0.9)
    assert 0.25 < found["absent"] < found["found"] < 0.6


def test_where_tumors_stand_out_absent_begins_where_found_ends(prepared):
    healthy = answers(prepared, HEALTHY, [0.1, 0.2])
    found = presence_limits(prepared, healthy + answers(prepared, REAL, [0.7, 0.8]), 0.1)
    assert found["absent"] == found["found"] == pytest.approx(0.2001)
    assert (found["healthy_found"], found["real_found"]) == (0.0, 1.0)


def test_no_false_alarm_at_all_can_be_asked_for(prepared):
    healthy = answers(prepared, HEALTHY, [0.3, 0.8, 0.5])
    found = presence_limits(prepared, healthy, 0.0)
    assert found["healthy_found"] == 0.0
    assert found["found"] > 0.8


def test_the_threshold_is_best_for_the_mean_over_kinds(prepared):
    """Three pictures of one kind do not count more than one of another."""
    own = {k: [n for n, cut in enumerate(prepared.cuts) if prepared.kind[n] == k
               and cut.role == REAL] for k in ("bright", "dark")}  # fmt: skip
    low = np.linspace(0.9, 0.2, len(THRESHOLDS)).astype(np.float32)
    high = np.linspace(0.0, 0.8, len(THRESHOLDS)).astype(np.float32)
    many = [Answer(own["bright"][0], 0.5, low, 1.0)] * 3
    one = [Answer(own["dark"][0], 0.5, high, 1.0)]
    assert best_threshold(prepared, many + one) == THRESHOLDS[-1]
    assert best_threshold(prepared, many) == THRESHOLDS[0]


def test_ranking():
    assert ranking([3, 2], [1, 2]) == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert np.isnan(ranking([], [1]))
