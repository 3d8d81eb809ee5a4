import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.calibration import BINS, Calibration, calibration_of


def test_hand_computed():
    # Two bins are used: 0.1 (four voxels, one true) and 0.9 (two voxels, both true).
    probability = np.array([0.1, 0.1, 0.1, 0.1, 0.9, 0.9])
    truth = np.array([1, 0, 0, 0, 1, 1], dtype=bool)
    found = calibration_of(probability, truth)
    assert found.ece == pytest.approx((4 * 0.15 + 2 * 0.1) / 6)
    assert found.brier == pytest.approx((0.81 + 3 * 0.01 + 2 * 0.01) / 6)
    rows = found.table()
    assert [row["voxels"] for row in rows] == [4, 2]
    assert [row["frequency"] for row in rows] == [0.25, 1.0]
    assert rows[0]["mean_probability"] == pytest.approx(0.1)


def test_perfectly_calibrated_has_no_error_but_doubt_costs_brier():
    probability = np.full(1000, 0.5)
    truth = np.arange(1000) % 2 == 0
    found = calibration_of(probability, truth)
    assert found.ece == pytest.approx(0.0)
    assert found.brier == pytest.approx(0.25)


def test_sure_and_wrong_is_the_worst():
    found = calibration_of(np.ones(10), np.zeros(10, dtype=bool))
    assert found.ece == 1.0
    assert found.brier == 1.0


def test_nothing_counted_has_no_error():
    assert math.isnan(Calibration().ece)
    assert math.isnan(Calibration().brier)


@given(hnp.arrays(np.float32, 60, elements=st.floats(0, 1, width=32)), st.integers(0, 60))
def test_counts_of_parts_add_up(probability, cut):
    truth = np.arange(60) % 3 == 0
    whole = calibration_of(probability, truth)
    parts = calibration_of(probability[:cut], truth[:cut]) + calibration_of(
        probability[cut:], truth[cut:]
    )
    assert whole.counts == parts.counts
    assert whole.total == 60
    assert whole.ece == pytest.approx(parts.ece, abs=1e-6)
    assert 0.0 <= whole.ece <= 1.0


def test_every_bin_is_reached():
    middles = (np.arange(BINS) + 0.5) / BINS
    assert calibration_of(middles, np.zeros(BINS, bool)).counts == (1,) * BINS
    assert calibration_of(np.ones(1), np.ones(1, bool)).counts[-1] == 1


def test_different_shapes_are_refused():
    with pytest.raises(InputError, match="same grid"):
        calibration_of(np.ones(3), np.ones(4, bool))
