import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.markov import MOST_STEPS, markov_map, start_at
from Testing.Library.methods.adzus.made_maps import scene
from Testing.Library.methods.adzus.made_planes import made_plane


def slow_map(walk, start, most_steps):
    """M2N2's definition, place by place: the first step at which the relative probability is above
    0.3, less what a straight line since the step before says."""
    walk = walk.astype(np.float64)
    state = start.astype(np.float64)
    history = [state]
    for _ in range(most_steps - 1):
        state = np.array([sum(state[i] * walk[i, j] for i in range(len(state)))
                          for j in range(len(state))])  # fmt: skip
        state = state / state.max()
        history.append(state)
    result = np.full(len(start), float(most_steps))
    for place in range(len(start)):
        for step, values in enumerate(history):
            if values[place] > 0.3:
                last = history[step - 1][place] if step else 0.0
                exact = step - 1 + (0.3 - last) / (values[place] - last)
                result[place] = max(0.0, exact)
                break
    return result


def walk_of(places, seed, spread):
    rng = torch.Generator().manual_seed(seed)
    near = torch.arange(places)[:, None] - torch.arange(places)[None]
    return torch.softmax(spread * torch.randn(places, places, generator=rng) - near.abs(), 1)


@settings(max_examples=25)
@given(st.integers(2, 14), st.integers(0, 99), st.floats(0.0, 1.5), st.integers(1, 60))
def test_it_is_the_slow_loop(places, seed, spread, most_steps):
    walk = walk_of(places, seed, spread)
    start = torch.zeros(places)
    start[seed % places] = 1.0
    found = markov_map(walk, start, most_steps).numpy()
    assert np.allclose(found, slow_map(walk.numpy(), start.numpy(), most_steps), atol=1e-3)


def test_the_fraction_by_hand():
    """Two places: after a step the other one has 0.2 / 0.8 of the most, after two 0.32 / 0.68."""
    walk = torch.tensor([[0.8, 0.2], [0.2, 0.8]])
    found = markov_map(walk, torch.tensor([1.0, 0.0]))
    before, after = 0.2 / 0.8, 0.32 / 0.68
    assert found.tolist() == pytest.approx([0.0, 1 + (0.3 - before) / (after - before)], abs=1e-5)


def test_places_that_no_walk_reaches_get_the_most_steps():
    walk = torch.block_diag(torch.full((3, 3), 1 / 3), torch.full((2, 2), 0.5))
    found = markov_map(walk, torch.tensor([1.0, 0, 0, 0, 0]), 50)
    assert found.tolist()[3:] == [50.0, 50.0]
    assert max(found.tolist()[:3]) <= 1.0
    assert markov_map(walk, torch.tensor([1.0, 0, 0, 0, 0]))[4] == MOST_STEPS


def test_an_object_is_nearer_than_what_surrounds_it():
    plane = made_plane()
    things = scene(16).flatten()
    found = markov_map(plane.attention.walk, start_at([(0.35, 0.35)], (16, 16)))
    assert found[things == 1].max() < found[things != 1].median()


FRACTION = st.floats(0.0, 1.0)


@given(FRACTION, FRACTION, st.integers(1, 9), st.integers(1, 9))
def test_a_start_is_shared_bilinearly(row, column, rows, columns):
    found = start_at([(row, column)], (rows, columns)).reshape(rows, columns).numpy()
    at = (
        np.clip(row * rows - 0.5, 0, rows - 1),
        np.clip(column * columns - 0.5, 0, columns - 1),
    )
    down, right = (
        np.maximum(0, 1 - np.abs(np.arange(n) - p)) for n, p in ((rows, at[0]), (columns, at[1]))
    )
    wanted = np.outer(down, right)
    assert np.allclose(found, wanted / wanted.max(), atol=1e-5)


def test_a_start_by_hand():
    """A quarter place right of the center of place (1, 1) of 4 x 4."""
    found = start_at([(0.375, 0.4375)], (4, 4)).reshape(4, 4)
    assert found[1].tolist() == pytest.approx([0, 1, 1 / 3, 0])
    assert found.sum() == pytest.approx(4 / 3)


def test_several_positions_are_all_starts():
    one, other = (start_at([place], (6, 6)) for place in ((0.25, 0.25), (0.75, 0.75)))
    both = start_at([(0.25, 0.25), (0.75, 0.75)], (6, 6))
    assert torch.equal(both, torch.maximum(one, other))
    assert both.max() == 1.0
