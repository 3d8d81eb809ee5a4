import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.adzus.divergence import log_of, symmetric_kl
from DiffusionSegLib.methods.adzus.part_tree import build_part_tree
from DiffusionSegLib.methods.adzus.regions import find_regions
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from Testing.Library.methods.adzus.made_planes import made_plane

PLANE = made_plane()
REGIONS = find_regions(PLANE.attention.maps, (96, 96), RegionSettings(tau=0.3, anchors=8))
TREE = build_part_tree(REGIONS, PLANE.attention.walk)


def test_every_level_divides_all_places():
    for count in (1, 2, TREE.regions, 20, TREE.leaves):
        nodes = TREE.cut(count)
        assert len(nodes) == count
        assert np.array_equal(sum(TREE.places(node).astype(int) for node in nodes), np.ones(256))


def test_one_level_are_the_published_regions():
    published = REGIONS.proposals.argmax(0).numpy()
    wanted = {(published == number).tobytes() for number in np.unique(published)}
    assert 2 <= TREE.regions == len(wanted)
    assert {TREE.places(node).tobytes() for node in TREE.cut(TREE.regions)} == wanted


def test_parents_and_children_belong_together():
    root = 2 * TREE.leaves - 2
    assert TREE.parent(root) is None
    for node in range(TREE.leaves, root + 1):
        first, second = TREE.children(node)
        assert TREE.parent(first) == TREE.parent(second) == node
        assert np.array_equal(TREE.places(node), TREE.places(first) | TREE.places(second))


def test_heights_are_mean_divergences_and_rise():
    """Average linkage by its definition, on the leaves' mean maps."""
    walk = PLANE.attention.walk
    leaf_of = torch.from_numpy(TREE.leaf_of)
    means = torch.stack([walk[leaf_of == leaf].mean(0) for leaf in range(TREE.leaves)])
    log = log_of(means)
    far = symmetric_kl(means, log, means, log).double().numpy()
    for join, height in enumerate(TREE.heights):
        first, second = (TREE.members(int(node)) for node in TREE.joins[join])
        assert height == pytest.approx(far[np.ix_(first, second)].mean(), abs=1e-4)
    within = TREE.leaves - TREE.regions
    assert (np.diff(TREE.heights[:within]) >= -1e-5).all()
    assert (np.diff(TREE.heights[within:]) >= -1e-5).all()


def test_a_picture_that_is_all_one_region_still_has_parts():
    regions = find_regions(PLANE.attention.maps, (96, 96), RegionSettings(tau=5.0, anchors=4))
    tree = build_part_tree(regions, PLANE.attention.walk)
    assert tree.regions == 1
    assert len(tree.cut(5)) == 5


def test_levels_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match=f"1 to {TREE.leaves}"):
        TREE.cut(0)
