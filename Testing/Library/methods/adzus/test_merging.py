import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.adzus.merge_tree import MergeRound, MergeTree
from DiffusionSegLib.methods.adzus.merging import _merge, merge_maps
from DiffusionSegLib.methods.adzus.regions import aggregate_by_resolution
from Testing.Library.methods.adzus.made_maps import made_maps
from Testing.Library.reference import diffseg_reference as reference

WHOLE = aggregate_by_resolution(made_maps((12, 6)), 1.0)
ANCHORS = [y * 12 + x for y, x in reference.grid_of_anchors(12, 6)]


@pytest.mark.parametrize("tau", [0.03, 0.1, 0.4])
@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
def test_proposals_are_those_of_the_loops(tau, rounds):
    found = merge_maps(WHOLE, ANCHORS, tau, rounds).proposals
    wanted = reference.merge(WHOLE.numpy().reshape(12, 12, 12, 12), 6, tau, rounds)
    assert len(found) == len(wanted)
    assert np.abs(found.numpy() - np.stack(wanted)).max() < 1e-6


def test_the_tree_tells_where_every_anchor_went():
    merged = merge_maps(WHOLE, ANCHORS, 0.1, 4)
    tree = merged.tree
    assert tree.levels == 4 and tree.anchors == tuple(ANCHORS)
    assert tree.owners(0) == list(range(36))
    for level in range(1, tree.levels):
        sizes = tree.sizes(level)
        assert sum(sizes) == 36 and min(sizes) >= 1
        below = len(tree.sizes(level - 1))
        family = [tree.children(level, one) for one in range(len(sizes))]
        assert sorted(child for one in family for child in one) == list(range(below))
        heights = tree.rounds[level - 1].heights
        assert len(heights) == below and min(heights) == 0 and max(heights) < 0.1
    assert len(tree.sizes(3)) == len(merged.proposals) < 36


def test_a_mean_takes_in_what_was_matched_before_but_the_tree_does_not():
    """Of three maps in a row the middle one is near to both others, which are far apart."""
    row = torch.tensor([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    merged, done = _merge(row, 0.3)
    assert done.parents == (0, 0, 1)
    assert done.heights[0] == done.heights[2] == 0 < done.heights[1] < 0.3
    assert torch.allclose(merged[0], row[:2].mean(0))
    assert torch.allclose(merged[1], row[1:].mean(0)), "the middle one counts twice"


def test_a_threshold_of_nothing_keeps_every_anchor():
    merged = merge_maps(WHOLE, ANCHORS, 0.0, 3)
    assert torch.allclose(merged.proposals, WHOLE[ANCHORS])


def test_levels_that_are_not_there_are_refused():
    tree = MergeTree((3, 4), (MergeRound((0, 0), (0.0, 0.2)),))
    assert tree.owners(1) == [0, 0] and tree.children(1, 0) == [0, 1]
    for wrong in (-1, 2):
        with pytest.raises(ValueError, match="levels are 0 to 1"):
            tree.owners(wrong)
    with pytest.raises(ValueError, match="children"):
        tree.children(0, 0)
