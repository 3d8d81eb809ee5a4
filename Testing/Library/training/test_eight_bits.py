import numpy as np
import pytest
import torch

from DiffusionSegLib.training.eight_bits import LONGEST_SIDE, eight_bits, fitted


def test_a_window_of_hounsfield_units():
    found = eight_bits(
        {"kind": "window", "low": -160, "high": 240}, np.array([-1000, 40, 240, 900])
    )
    assert found.tolist() == [0, 128, 255, 255]


def test_percentiles():
    values = np.arange(101)
    found = eight_bits({"kind": "percentile", "low": 10, "high": 90}, values)
    assert found[[0, 10, 50, 90, 100]].tolist() == [0, 0, 128, 255, 255]


def test_as_stored():
    assert eight_bits({}, np.array([0, 7, 255], np.uint8)).tolist() == [0, 7, 255]
    assert eight_bits({}, np.array([0, 257, 65535], np.uint16)).tolist() == [0, 1, 255]


def test_one_value_alone_is_no_division_by_zero():
    assert (
        eight_bits({"kind": "percentile", "low": 1, "high": 99}, np.full(9, 5)).tolist() == [0] * 9
    )


@pytest.mark.parametrize("shape", [(1, 512, 384), (3, 100, 600)])
def test_a_long_side_is_shortened(shape):
    found = fitted(np.full(shape, 90, np.uint8))
    assert max(found.shape[1:]) == LONGEST_SIDE and found.dtype == torch.uint8
    assert found.shape[1] / found.shape[2] == pytest.approx(shape[1] / shape[2], rel=0.02)
    assert set(found.unique().tolist()) == {90}


def test_a_small_picture_stays():
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    assert np.array_equal(fitted(pixels).numpy(), pixels)
