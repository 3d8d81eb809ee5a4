import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.diffugts.feature_residual import FeatureResidual
from Testing.Library.methods.diffugts.slow_maps import gelu, line, weights_of
from Testing.Library.reference.awake import awake, normal


@pytest.mark.parametrize("places", [(3, 4), (2, 3, 2)])
@torch.no_grad()
def test_it_is_the_cosine_of_projection_and_text(places):
    residual = awake(FeatureResidual(4, 10, 6, len(places)), 1)
    residual.scale.fill_(7.0)
    change, texts = normal(2, 4, *places), 3 * normal(1, 2, 10, seed=2)
    found, weights = residual(change, texts), weights_of(residual)
    for item in range(2):
        for place in np.ndindex(*places):
            one = change[(item, slice(None), *place)].double().numpy()
            inner = gelu(line(np.concatenate([one, np.abs(one)]), weights, "first"))
            vector = line(inner, weights, "last")
            for number in range(2):
                text = texts[0, number].double().numpy()
                cosine = vector @ text / np.linalg.norm(vector) / np.linalg.norm(text)
                assert float(found[(item, number, *place)]) == pytest.approx(7 * cosine, abs=1e-4)


@torch.no_grad()
def test_how_long_a_text_s_vector_is_does_not_matter():
    residual, change = awake(FeatureResidual(4, 10, 6, 2), 1), normal(1, 4, 3, 3)
    texts = normal(1, 2, 10, seed=2)
    torch.testing.assert_close(residual(change, texts), residual(change, 50 * texts))


@torch.no_grad()
def test_how_much_changed_matters_as_well_as_which_way():
    residual, change = awake(FeatureResidual(4, 10, 6, 2), 1), normal(1, 4, 3, 3)
    residual.scale.fill_(10.0)
    texts = normal(1, 2, 10, seed=2)
    for other in (5 * change, -change):
        assert float((residual(change, texts) - residual(other, texts)).abs().max()) > 0.5
