import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.divergence import log_of, symmetric_kl
from Testing.Library.reference.awake import normal
from Testing.Library.reference.diffseg_reference import divergence


def distances(p, q):
    return symmetric_kl(p, log_of(p), q, log_of(q))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 50), st.floats(0.1, 5))
def test_it_is_the_divergence_of_every_pair(rows, columns, places, spread):
    p, q = (
        torch.softmax(spread * normal(count, places, seed=n), 1)
        for n, count in enumerate((rows, columns))
    )
    wanted = np.stack([divergence(one.numpy(), q.numpy()) for one in p])
    assert np.allclose(distances(p, q).numpy(), wanted, atol=1e-4, rtol=1e-4)


def test_a_map_is_at_no_distance_of_itself_and_zeros_do_no_harm():
    maps = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    found = distances(maps, maps)
    assert torch.isfinite(found).all()
    assert found.diagonal().abs().max() < 1e-5
    assert found[0, 1] > 20 and torch.allclose(found, found.T)
