import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.diffugts.dimensions import conv, neighborhood_mean, resized
from Testing.Library.methods.diffugts.slow_maps import interpolated, neighborhood
from Testing.Library.reference.awake import normal

PLACES = st.one_of(*[st.lists(st.integers(1, 6), min_size=n, max_size=n) for n in (2, 3)])


@given(PLACES, st.sampled_from([1, 3, 5, 11]))
def test_means_over_neighborhoods_cut_at_the_border(places, reach):
    values = normal(2, 3, *places)
    found = neighborhood_mean(values, reach)
    for item in range(2):
        wanted = neighborhood(values[item].double().numpy(), reach)
        np.testing.assert_allclose(found[item].numpy(), wanted, atol=1e-5)


@given(PLACES, st.data())
def test_interpolation_between_the_centers_of_places(places, data):
    wanted = [data.draw(st.integers(1, 9)) for _ in places]
    values = normal(1, 2, *places)
    slow = interpolated(values[0].double().numpy(), wanted)
    np.testing.assert_allclose(resized(values, wanted)[0].numpy(), slow, atol=1e-5)


def test_nothing_is_copied_when_the_places_fit():
    values = normal(1, 2, 3, 4)
    assert resized(values, (3, 4)) is values


@pytest.mark.parametrize("dims", [2, 3])
def test_one_place_is_weighed_like_any_other(dims):
    layer, values = conv(dims, 3, 2), normal(1, 3, *[4] * dims)
    moved = torch.roll(values, 1, dims=-1)
    torch.testing.assert_close(torch.roll(layer(values), 1, dims=-1), layer(moved))
