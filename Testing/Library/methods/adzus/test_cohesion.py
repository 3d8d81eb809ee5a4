import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.transition import balance
from DiffusionSegLib.methods.adzus.cohesion import normalized_cuts
from DiffusionSegLib.methods.adzus.nested import nested_regions
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention
from Testing.Library.methods.adzus.made_maps import scene
from Testing.Library.methods.adzus.made_planes import made_plane


def attention_of(walk, grid):
    maps = (AttentionMap("self", grid, walk, ("one",)),)
    return PlaneAttention(maps, walk, walk)


def cut_by_definition(walk, inside):
    """Shi and Malik (2000), equation 2: cut / assoc(A, V) + cut / assoc(B, V), both ways of the
    walk counted by their own direction."""
    out = sum(walk[i, j] for i in np.flatnonzero(inside) for j in np.flatnonzero(~inside))
    into = sum(walk[i, j] for i in np.flatnonzero(~inside) for j in np.flatnonzero(inside))
    return out / walk[inside].sum() + into / walk[~inside].sum()


@settings(max_examples=20)
@given(st.integers(2, 4), st.integers(2, 4), st.integers(1, 3), st.integers(0, 99))
def test_it_is_the_definition_on_whole_places(rows, columns, zoom, seed):
    """Every pixel of a place has the same value, so that regions hold whole places."""
    rng = torch.Generator().manual_seed(seed)
    count = rows * columns
    walk = balance(torch.softmax(2 * torch.randn(count, count, generator=rng), 1), tolerance=1e-6)
    order = torch.randperm(count, generator=rng).reshape(rows, columns).float().numpy()
    regions = nested_regions(np.kron(order, np.ones((zoom, zoom), np.float32)))
    found = normalized_cuts(regions, attention_of(walk, (rows, columns)))
    assert len(found) == count
    for level in range(count - 1):
        inside = (order <= level).ravel()
        wanted = cut_by_definition(walk.double().numpy(), inside)
        assert found[level] == pytest.approx(wanted, abs=1e-3)

    some = normalized_cuts(regions, attention_of(walk, (rows, columns)), 3)
    assert some[:3] == pytest.approx(found[:3], abs=1e-5)
    assert (some[3:] == 2.0).all()


def test_two_groups_that_do_not_meet_have_no_cut():
    walk = torch.block_diag(torch.full((4, 4), 0.25), torch.full((4, 4), 0.25))
    values = np.repeat(np.arange(8.0).reshape(2, 4), 3, axis=0).astype(np.float32)
    found = normalized_cuts(nested_regions(values), attention_of(walk, (2, 4)))
    assert found[3] == pytest.approx(0.0, abs=1e-5)
    # A cut through the first group: of 2 places half of the steps leave, of the other 6 a sixth.
    assert found[1] == pytest.approx(0.5 + 2 * 0.5 / 6, abs=1e-5)
    assert found.argmin() == 3


def test_a_place_counts_by_its_share():
    """One place of four, half of it in the region; the walk stays where it is."""
    values = np.ones((4, 4), dtype=np.float32)
    values[:2, 0] = 0
    found = normalized_cuts(nested_regions(values), attention_of(torch.eye(4), (2, 2)))
    # share 0.5: of the inside 0.5² / 0.5 stays, of the outside (0.5² + 3) / 3.5.
    assert found[0] == pytest.approx(2 - 0.5 - 3.25 / 3.5, abs=1e-5)


def test_an_object_of_the_scene_is_cut_best_at_its_border():
    plane = made_plane()
    rows, columns = np.ogrid[:96, :96]
    far = np.hypot(rows - 0.35 * 96, columns - 0.35 * 96).astype(np.float32)
    regions = nested_regions(far)
    found = normalized_cuts(regions, plane.attention)
    small = regions.areas < 96 * 96 / 2
    best = int(np.argmin(np.where(small, found, np.inf)))
    disc = int((scene(96).numpy() == 1).sum())
    assert regions.areas[best] == pytest.approx(disc, rel=0.2)
    assert (found >= 0).all() and (found <= 2).all()


def test_a_canvas_that_is_no_multiple_of_the_grid():
    """Places hold unequal numbers of pixels; shares still lie in [0, 1]."""
    values = np.random.default_rng(0).random((11, 7)).astype(np.float32)
    walk = torch.full((6, 6), 1 / 6)
    found = normalized_cuts(nested_regions(values), attention_of(walk, (3, 2)))
    # Every place looks at all alike: a share s of all stays inside, 1 - s outside.
    assert found[:-1] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_only_the_first_levels(count):
    """Of a canvas on which places fill up slowly, so that some are half in at the last level."""
    values = np.random.default_rng(1).random((24, 20)).astype(np.float32)
    walk = balance(torch.rand(20, 20, generator=torch.Generator().manual_seed(0)))
    attention = attention_of(walk, (5, 4))
    whole = normalized_cuts(nested_regions(values), attention)
    part = normalized_cuts(nested_regions(values), attention, count)
    assert part[:count] == pytest.approx(whole[:count], abs=1e-5)
    assert (part[count:] == 2.0).all()


def test_places_taken_together_hardly_change_a_cut():
    """A grid of 40 x 40 places is read as one of 20 x 20; regions here are wider than a block."""
    rng = torch.Generator().manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()], 1)
    near = torch.exp(-((torch.cdist(places, places) / 4) ** 2))
    walk = balance(near * (1 + 0.2 * torch.rand(1600, 1600, generator=rng)))
    down, right = np.ogrid[:80, :80]
    far = np.hypot(down - 33, right - 41).astype(np.float32)
    regions = nested_regions(far)
    found = normalized_cuts(regions, attention_of(walk, (40, 40)))
    share = np.stack([
        (regions.level <= level).reshape(40, 2, 40, 2).mean((1, 3)).ravel()
        for level in range(len(regions.areas))
    ])  # fmt: skip
    steps = walk.double().numpy()
    for level in range(10, len(regions.areas) - 10, 7):
        inside, outside = share[level], 1 - share[level]
        stay = inside @ steps @ inside / inside.sum() + outside @ steps @ outside / outside.sum()
        assert found[level] == pytest.approx(2 - stay, rel=0.1)
