import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.diffugts.attention_level import AttentionLevel, attention_scores
from Testing.Library.methods.diffugts.slow_maps import keys_of, weights_of
from Testing.Library.reference.awake import awake, normal


@pytest.mark.parametrize("places", [(3, 4), (2, 3, 4)])
def test_a_score_is_the_scaled_product_of_query_and_key(places):
    queries, keys = normal(2, 5, *places), normal(1, 3, 5, seed=1)
    found = attention_scores(queries, keys)
    assert found.shape == (2, 3, *places)
    for item in range(2):
        for text in range(3):
            for place in np.ndindex(*places):
                product = float(queries[(item, slice(None), *place)] @ keys[0, text])
                assert float(found[(item, text, *place)]) == pytest.approx(
                    product / 5**0.5, abs=1e-5
                )


def test_every_item_may_have_texts_of_its_own():
    queries, keys = normal(2, 5, 3, 4), normal(2, 3, 5, seed=1)
    for item in range(2):
        own = slice(item, item + 1)
        torch.testing.assert_close(
            attention_scores(queries, keys)[own], attention_scores(queries[own], keys[own])
        )


@torch.no_grad()
def test_keys_are_reduced_texts():
    level = awake(AttentionLevel(6, 12, 4, 5, (3,), 2), 3)
    texts = normal(1, 2, 12, seed=4)
    wanted = keys_of(texts[0].double().numpy(), weights_of(level)).T
    np.testing.assert_allclose(level.keys(texts)[0].numpy(), wanted, rtol=1e-3, atol=1e-5)


@torch.no_grad()
def test_queries_have_the_places_of_the_features():
    for dims in (2, 3):
        level = awake(AttentionLevel(6, 12, 4, 5, (3,), dims), 3)
        assert level(normal(2, 6, *range(3, 3 + dims))).shape == (2, 5, *range(3, 3 + dims))
