import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.diffugts.region_choice import RegionChoice, eligible
from DiffusionSegLib.methods.diffugts.region_features import FEATURES
from Testing.Library.reference.awake import awake


def rule(**weights):
    choice = awake(RegionChoice())
    with torch.no_grad():
        choice.weigh.weight.zero_()
        choice.weigh.bias.fill_(weights.pop("bias", 0.0))
        for name, weight in weights.items():
            choice.weigh.weight[0, FEATURES.index(name)] = weight
    choice.expect.load_state_dict(choice.weigh.state_dict())
    return choice


def features(*shades):
    found = np.zeros((len(shades), len(FEATURES)), np.float32)
    found[:, FEATURES.index("shade")] = shades
    found[:, FEATURES.index("size in the body")] = np.log(0.1)
    return found


def regions(*corners):
    found = np.zeros((len(corners), 8, 8), bool)
    for region, (top, left) in zip(found, corners, strict=True):
        region[top : top + 4, left : left + 4] = True
    return found


def test_belief_is_what_the_regions_add_up_to():
    given = regions((0, 0), (2, 2), (4, 4))
    shades = np.array([0.1, 0.9, 0.3])
    found = rule(shade=2.0, bias=-1.0).choose(given, features(*shades))
    logits = 2 * shades - 1
    share = np.exp(2 * logits) / np.exp(2 * logits).sum()
    wanted = sum(s * r for s, r in zip(share, given, strict=True))
    np.testing.assert_allclose(found.belief, wanted, atol=1e-5)
    assert found.quality == pytest.approx(1 / (1 + np.exp(-0.8)), abs=1e-5)
    assert np.array_equal(found.best, given[1])


def test_without_regions_nothing_is_believed():
    found = rule().choose(np.zeros((0, 5, 6), bool), features())
    assert found.quality == 0.0
    assert found.belief.shape == found.best.shape == (5, 6)
    assert not found.belief.any() and not found.best.any()


def test_no_feature_decides_alone():
    choice = rule(shade=1.0)
    choice.mean.fill_(1.0)
    choice.spread.fill_(2.0)
    with torch.no_grad():
        found = choice(torch.from_numpy(features(5.0, 9.0, 1000.0, -1000.0)))
    assert found.tolist() == pytest.approx([2.0, 4.0, 4.0, -4.0])


def test_what_takes_nearly_half_of_the_body_is_not_chosen():
    given, told = regions((0, 0), (4, 4)), features(0.9, 0.1)
    told[0, FEATURES.index("size in the body")] = np.log(0.46)
    assert eligible(told).tolist() == [False, True]
    found = rule(shade=2.0).choose(given, told)
    assert np.array_equal(found.best, given[1])
    assert np.array_equal(found.belief > 0, given[1])
    told[1, FEATURES.index("size in the body")] = np.log(0.5)
    assert rule(shade=2.0).choose(given, told).quality == 0.0


def test_what_is_expected_is_not_what_competes():
    choice = rule(shade=2.0)
    choice.expect.load_state_dict(rule(shade=-1.0).weigh.state_dict())
    found = choice.choose(regions((0, 0), (4, 4)), features(0.9, 0.1))
    assert np.array_equal(found.best, regions((0, 0))[0])
    assert found.quality == pytest.approx(1 / (1 + np.exp(0.9)), abs=1e-5)
