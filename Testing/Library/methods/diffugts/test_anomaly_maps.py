"""Open-vocabulary attention in two and three dimensions against the equations, place by place."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.anomaly_maps import (
    ABNORMAL,
    NORMAL,
    AnomalyMaps,
    AnomalyMapsConfig,
    _pooled,
)
from Testing.Library.methods.diffugts.slow_maps import slow_maps
from Testing.Library.reference.awake import awake, normal

PLACES = {2: [(8, 6), (4, 3), (5, 2)], 3: [(4, 6, 5), (2, 3, 3), (1, 2, 4)]}


def network(dims, seed=0):
    config = AnomalyMapsConfig((5, 7, 6), 12, inner=4, width=6, reach=(3, 5), dims=dims)
    return awake(AnomalyMaps(config), seed, gain=2.0)


def features(dims, batch=2, seed=3):
    channels = (5, 7, 6)
    return [
        3 * normal(batch, count, *places, seed=seed + number) + 1
        for number, (count, places) in enumerate(zip(channels, PLACES[dims], strict=True))
    ]


@pytest.mark.parametrize("dims", [2, 3])
@torch.no_grad()
def test_maps_classes_and_anomaly_are_those_of_the_equations(dims):
    maps, seen = network(dims), features(dims)
    texts = normal(1, 2, 12, seed=9)
    found = maps(seen, texts)
    for item in range(2):
        slow = slow_maps(maps, [one[item].double().numpy() for one in seen], texts[0].numpy())
        for fast, wanted in zip((found.maps, found.logits, found.classes), slow, strict=False):
            np.testing.assert_allclose(fast[item].numpy(), wanted, rtol=1e-3, atol=2e-5)
        assert float(found.anomaly[item]) == pytest.approx(slow[3], rel=1e-3, abs=1e-5)
    assert found.maps.shape[2:] == PLACES[dims][0]
    assert float(found.logits.std()) > 0.05  # the test sees more than biases
    assert float((found.classes[:, 0] - found.classes[:, 1]).abs().max()) > 0.05


@settings(max_examples=20)
@given(st.sampled_from([2, 3]), st.integers(0, 1000))
@torch.no_grad()
def test_the_attention_of_every_place_sums_to_one(dims, seed):
    found = network(dims, seed)(features(dims, 1, seed), normal(1, 2, 12, seed=seed))
    assert bool((found.maps >= 0).all())
    torch.testing.assert_close(found.maps.sum(dim=1), torch.ones_like(found.maps[:, 0]))


@torch.no_grad()
def test_a_second_text_needs_no_second_look():
    """Queries are made without the text, and are the same for whatever is compared with them."""
    maps, seen = network(2), features(2)
    queries = maps.look(seen)
    kept = [one.clone() for one in queries]
    for seed in (1, 2):
        texts = normal(1, 2, 12, seed=seed)
        torch.testing.assert_close(maps.compare(queries, texts).maps, maps(seen, texts).maps)
    assert all(torch.equal(one, was) for one, was in zip(queries, kept, strict=True))


@torch.no_grad()
def test_exchanged_texts_exchange_the_maps():
    maps, seen, texts = network(2), features(2), normal(1, 2, 12, seed=9)
    maps.bias.zero_()
    found, other = maps(seen, texts), maps(seen, texts.flip(1))
    torch.testing.assert_close(found.maps, other.maps.flip(1))
    torch.testing.assert_close(found.anomaly, other.anomaly)
    assert (NORMAL, ABNORMAL) == (0, 1)


@torch.no_grad()
def test_items_do_not_look_at_each_other():
    maps, seen, texts = network(3), features(3, 3), normal(3, 2, 12, seed=9)
    whole = maps(seen, texts)
    for item in range(3):
        own = slice(item, item + 1)
        alone = maps([one[own] for one in seen], texts[own])
        torch.testing.assert_close(alone.maps, whole.maps[own])
        torch.testing.assert_close(alone.anomaly, whole.anomaly[own])


@torch.no_grad()
def test_a_class_is_what_its_places_look_like():
    """A map that is all at one place pools that place's query."""
    queries = [normal(1, 6, 4, 4, seed=1) for _ in range(3)]
    spot = torch.full((1, 2, 4, 4), 1e-9)
    spot[0, ABNORMAL, 1, 2] = 1.0
    found = _pooled(queries, spot)[0, ABNORMAL]
    torch.testing.assert_close(found, torch.cat([one[0, :, 1, 2] for one in queries]))


def test_a_config_goes_through_a_card():
    config = AnomalyMapsConfig((64, 128), 384, 16, 24, (3, 7), 3)
    assert AnomalyMapsConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    for broken in ({"channels": 5}, {"reach": None}, {"width": "wide"}):
        with pytest.raises(ModelError, match="anomaly maps"):
            AnomalyMapsConfig.from_dict({**config.to_dict(), **broken})
    with pytest.raises(ModelError, match="dims"):
        AnomalyMapsConfig.from_dict({k: v for k, v in config.to_dict().items() if k != "dims"})


def test_levels_must_be_as_many_as_features():
    with pytest.raises(ValueError, match="zip"):
        network(2).look(features(2)[:2])
