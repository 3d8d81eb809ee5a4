import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.adzus.part_tree import build_part_tree
from DiffusionSegLib.methods.adzus.plane import make_plane
from DiffusionSegLib.methods.adzus.region_rule import (
    find_plane_regions,
    nodes_at,
    region_candidates,
)
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from DiffusionSegLib.methods.adzus.standing_alone import cohesion, edge_support, overlap
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.compact.tiny import open_tiny, write_model
from Testing.Library.methods.adzus.made_planes import made_picture, made_plane, thing

PLANE = made_plane()
SETTINGS = RegionSettings(tau=0.3, anchors=8)
REGIONS = find_plane_regions(PLANE, SETTINGS)


def test_regions_have_the_size_of_the_canvas():
    assert REGIONS.labels.shape == (96, 96)


def test_things_in_the_picture_are_among_the_candidates():
    found = region_candidates(PLANE, REGIONS, 0.5)
    for number in (1, 2):
        assert max(overlap(one.mask, thing(number)) for one in found) > 0.85
    assert overlap(found[0].mask, thing(1) | thing(2)) > 0.8 or any(
        overlap(found[0].mask, thing(number)) > 0.8 for number in (1, 2)
    )


@pytest.mark.parametrize("granularity", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_candidates_differ_and_the_best_come_first(granularity):
    found = region_candidates(PLANE, REGIONS, granularity)
    scores = [one.score for one in found]
    assert 1 <= len(found) <= 12
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert len({one.title for one in found}) == len(found)
    masks = [one.mask for one in found]
    assert all(overlap(a, b) <= 0.9 for i, a in enumerate(masks) for b in masks[:i])


def test_the_slider_goes_from_parts_to_wholes():
    tree = build_part_tree(REGIONS, PLANE.attention.walk)
    counts = [len(nodes_at(tree, value)) for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] >= 32
    assert counts[2] == max(6, tree.regions)
    assert counts[4] == 2
    sizes = [
        np.median([one.mask.mean() for one in region_candidates(PLANE, REGIONS, value)])
        for value in (0.0, 1.0)
    ]
    assert sizes[1] > 1.5 * sizes[0]


def test_titles_say_what_is_part_of_what():
    """By the numbers of the published regions."""
    found = [one for value in (0.0, 0.5, 1.0) for one in region_candidates(PLANE, REGIONS, value)]
    labels = REGIONS.labels.numpy()
    for one in found:
        if one.title.startswith(("region ", "part ")):
            inside = labels[one.mask] == int(one.title.split()[-1]) - 1
            assert inside.mean() > 0.6
    kinds = {one.title.split()[0] for one in found}
    assert {"region", "part"} <= kinds


def test_where_the_threshold_leaves_one_region_there_are_parts():
    """As the published one does with attention that is less decided than Stable Diffusion's."""
    regions = find_plane_regions(PLANE, RegionSettings(tau=5.0, anchors=8))
    assert len(regions.labels.unique()) == 1
    found = region_candidates(PLANE, regions, 0.5)
    assert {one.title.rstrip("0123456789") for one in found} == {"part "}
    for number in (1, 2):
        assert max(overlap(one.mask, thing(number)) for one in found) > 0.85


def test_no_network_is_asked(tmp_path):
    backbone = open_tiny(write_model(tmp_path / "model"))
    passes = []
    backbone.network.register_forward_pre_hook(lambda *_: passes.append(1))
    plane = make_plane(made_picture(64), backbone, 100, Progress.silent())
    assert passes
    passes.clear()
    regions = find_plane_regions(plane, RegionSettings(), Progress.silent())
    for granularity in (0.0, 0.5, 1.0):
        region_candidates(plane, regions, granularity)
    assert not passes


def test_a_thing_stands_alone_more_than_a_window_drawn_anywhere():
    window = np.zeros((96, 96), dtype=bool)
    window[10:40, 50:80] = True
    assert cohesion(thing(1), PLANE) > cohesion(window, PLANE) + 0.1
    assert edge_support(thing(1), PLANE.canvas) > 0.8 > 0.4 > edge_support(window, PLANE.canvas)
    assert edge_support(np.zeros((96, 96), dtype=bool), PLANE.canvas) == 0.0


def test_cohesion_is_half_of_what_is_left_of_the_normalized_cut():
    """Shi and Malik's NCut by its definition, for a mask of whole places."""
    mask = np.zeros((96, 96), dtype=bool)
    mask[12:48, 18:60] = True
    inside = torch.from_numpy(mask[::6, ::6].ravel().copy())
    walk = PLANE.attention.walk
    leaving, entering = walk[inside][:, ~inside].sum(), walk[~inside][:, inside].sum()
    ncut = leaving / walk[inside].sum() + entering / walk[~inside].sum()
    assert cohesion(mask, PLANE) == pytest.approx(1 - float(ncut) / 2, abs=1e-3)
