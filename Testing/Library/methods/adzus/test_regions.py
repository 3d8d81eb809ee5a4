"""The whole way from maps to labels, against the slow loops and against what is in the image."""

import numpy as np
import pytest
import torch

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.methods.adzus.regions import aggregate_by_resolution, find_regions
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.adzus.made_maps import made_maps, scene
from Testing.Library.reference import diffseg_reference as reference

SIDES = (16, 8, 4)
MAPS = made_maps(SIDES)


def slow_labels(tau: float, anchors: int, rounds: int, size: int) -> np.ndarray:
    plain = {side: one.weights.numpy() for side, one in zip(SIDES, MAPS, strict=True)}
    whole = reference.aggregate(plain, SIDES[0])
    proposals = reference.merge(whole, anchors, tau, rounds)
    return reference.label(proposals, SIDES[0], size)


@pytest.mark.parametrize(
    ("tau", "anchors", "rounds"), [(0.3, 8, 3), (0.1, 8, 2), (1.0, 4, 3), (0.02, 6, 4), (0.5, 8, 1)]
)
def test_labels_are_those_of_the_slow_loops(tau, anchors, rounds):
    settings = RegionSettings(tau=tau, anchors=anchors, rounds=rounds)
    found = find_regions(MAPS, (64, 64), settings)
    wanted = slow_labels(tau, anchors, rounds, 64)
    assert np.array_equal(found.labels.numpy(), wanted)
    assert len(found.proposals) == max(found.tree.owners(found.tree.levels - 1)) + 1


def test_no_region_covers_two_objects():
    found = find_regions(MAPS, (64, 64), RegionSettings(tau=0.4, anchors=8))
    objects = scene(64)
    counts = torch.stack(
        [torch.bincount(found.labels[objects == one], minlength=20) for one in range(3)]
    )
    assert 3 <= (counts.sum(0) > 0).sum() <= 6
    assert counts.max(0).values.sum() > 0.95 * objects.numel()


def test_k_means_keeps_the_number_of_regions():
    settings = RegionSettings(tau=0.4, anchors=8)
    plain = find_regions(MAPS, (32, 32), settings)
    refined = find_regions(MAPS, (32, 32), RegionSettings(tau=0.4, anchors=8, kmeans=True))
    assert len(plain.proposals) == len(refined.proposals)
    assert not torch.equal(plain.proposals, refined.proposals)
    assert (refined.proposals.sum(1) - 1).abs().max() < 1e-5


def test_resolutions_are_weighed_as_published():
    plain = {side: one.weights.numpy() for side, one in zip(SIDES, MAPS, strict=True)}
    wanted = reference.aggregate(plain, 16).reshape(256, 256)
    assert np.abs(aggregate_by_resolution(MAPS, 1.0).numpy() - wanted).max() < 1e-6


def test_it_can_be_cancelled_and_does_not_change_the_maps():
    before = [one.weights.clone() for one in MAPS]
    with pytest.raises(Cancelled):
        find_regions(MAPS, (16, 16), RegionSettings(), Progress(cancelled=lambda: True))
    find_regions(MAPS, (16, 16), RegionSettings(kmeans=True))
    assert all(torch.equal(one.weights, same) for one, same in zip(MAPS, before, strict=True))
