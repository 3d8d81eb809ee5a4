import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.diffugts.feature_adapter import FeatureAdapter
from Testing.Library.methods.diffugts.slow_maps import adapted, weights_of
from Testing.Library.reference.awake import awake, normal


@pytest.mark.parametrize("places", [(5, 7), (3, 4, 5)])
@torch.no_grad()
def test_it_mixes_what_it_changed_with_what_was_there(places):
    adapter = awake(FeatureAdapter(6, 4, (3, 5), len(places)), 1)
    features = 5 * normal(2, 6, *places) - 2
    found = adapter(features)
    for item in range(2):
        wanted = adapted(features[item].double().numpy(), weights_of(adapter), (3, 5))
        np.testing.assert_allclose(found[item].numpy(), wanted, rtol=1e-3, atol=1e-5)


@torch.no_grad()
def test_without_a_share_of_its_own_it_only_normalizes():
    adapter = FeatureAdapter(6, 4, (3,), 2)
    assert float(adapter.ratio) == 0.5
    adapter.ratio.zero_()
    found = adapter(7 * normal(1, 6, 8, 8) + 3)
    assert float(found.mean()) == pytest.approx(0.0, abs=1e-5)
    assert float(found.std()) == pytest.approx(1.0, abs=1e-2)


@torch.no_grad()
def test_levels_of_other_scales_look_alike():
    adapter, features = awake(FeatureAdapter(6, 4, (3,), 2), 2), normal(1, 6, 8, 8)
    torch.testing.assert_close(
        adapter(features), adapter(100 * features + 40), rtol=1e-3, atol=1e-4
    )
