import numpy as np
import pytest

from DiffusionSegLib.methods.adzus.pixel_model import fit_logits


def test_it_is_the_discriminant_of_two_normal_classes():
    # Unit variance at -1 and 1: the log odds are 2x.
    rng = np.random.default_rng(0)
    inside = np.zeros((100, 60), bool)
    inside[:, :15] = True  # a quarter, which must not matter
    values = rng.standard_normal((100, 60, 1)) + np.where(inside, 1, -1)[..., None]
    odds = fit_logits(values.astype(np.float32), inside, np.ones(inside.shape, np.float32))
    slope, constant = np.polyfit(values.ravel(), odds.ravel(), 1)
    assert slope == pytest.approx(2.0, abs=0.25)
    assert constant == pytest.approx(0.0, abs=0.2)


def test_pixels_without_weight_teach_nothing():
    rng = np.random.default_rng(1)
    inside = rng.random((40, 40)) < 0.5
    values = (inside + 0.3 * rng.standard_normal(inside.shape)).astype(np.float32)
    weights = np.zeros(inside.shape, np.float32)
    weights[:20] = 1
    spoiled = inside.copy()
    spoiled[20:] = ~inside[20:]
    first = fit_logits(values[..., None], inside, weights)
    assert np.array_equal(first, fit_logits(values[..., None], spoiled, weights))
    assert ((first > 0) == inside).mean() > 0.9


def test_one_class_alone_tells_nothing():
    inside = np.ones((5, 5), bool)
    assert not fit_logits(np.ones((5, 5, 2), np.float32), inside, np.ones((5, 5), np.float32)).any()
