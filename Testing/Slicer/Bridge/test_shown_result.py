"""Candidates, limits around clicks, painted voxels, volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.near_points import voxelsNear
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import InputError
from Testing.Slicer.Bridge.results import ball, candidateOf, maskOf, proposal, volume


@pytest.fixture
def node(scene: Any) -> Any:
    return volume(scene)


def test_the_main_outline_follows_the_threshold_and_alternatives_do_not(node: Any) -> None:
    geometry = worldGeometry(node)
    other = np.zeros(geometry.shape_kji, np.uint8)
    other[2:5, 3:6, 4:9] = 1
    shown = ShownResult(proposal(node, alternatives=(candidateOf(other, geometry),)), node)
    assert shown.candidateCount == 2
    small, large = shown.mask(0.9), shown.mask(0.2)
    assert 0 < small.sum() < large.sum()
    assert shown.count(0.2) == large.sum()
    shown.candidate = 1
    np.testing.assert_array_equal(shown.mask(0.2), other)
    np.testing.assert_array_equal(shown.mask(0.9), other)
    with pytest.raises(InputError, match="2 candidates, no number 3"):
        shown.candidate = 2


def test_changes_stay_near_the_clicks(node: Any) -> None:
    geometry = worldGeometry(node)
    before = np.zeros(geometry.shape_kji, np.uint8)
    before[0:2, 0:3, 0:3] = 1
    click = tuple(geometry.kji_to_ras([[4, 7, 9]])[0])
    shown = ShownResult(proposal(node), node)
    free = shown.mask(0.5)
    shown.limitTo([click], 4.0, maskOf(before, geometry))
    near = voxelsNear([click], 4.0, geometry)
    for threshold in (0.2, 0.5):
        expected = np.where(near, shown.proposal.mask(threshold).array, before)
        np.testing.assert_array_equal(shown.mask(threshold), expected)
    assert (shown.mask(0.5) != free).any()
    shown.limitTo((), 4.0)
    np.testing.assert_array_equal(shown.mask(0.5), free)


def test_painted_and_erased_voxels_stay_at_every_threshold(node: Any) -> None:
    geometry = worldGeometry(node)
    rng = np.random.default_rng(3)
    array = np.stack([ball(), ball(center=(3, 4, 5), radius=0.7)]) / 2
    shown = ShownResult(proposal(node, array), node)
    original = rng.integers(0, 3, geometry.shape_kji).astype(np.uint8)
    edited = np.where(rng.random(original.shape) < 0.1, 2 - original, original).astype(np.uint8)
    shown.keepPainted(maskOf(edited, geometry), maskOf(original, geometry))
    touched = edited != original
    for threshold in (0.01, 0.5, 1.0):
        found = shown.mask(threshold)
        np.testing.assert_array_equal(found[touched], edited[touched])
        free = shown.proposal.mask(threshold).array
        np.testing.assert_array_equal(found[~touched], free[~touched])


def test_painted_voxels_far_from_the_clicks_stay_too(node: Any) -> None:
    geometry = worldGeometry(node)
    original = np.zeros(geometry.shape_kji, np.uint8)
    edited = original.copy()
    edited[8, 13, 17] = 1
    shown = ShownResult(proposal(node), node)
    shown.keepPainted(maskOf(edited, geometry), maskOf(original, geometry))
    shown.limitTo([tuple(geometry.kji_to_ras([[4, 7, 9]])[0])], 3.0, maskOf(original, geometry))
    assert shown.mask(0.5)[8, 13, 17] == 1


def test_volume_of_each_label(node: Any) -> None:
    array = np.stack([ball(center=(3, 4, 5)), ball(center=(6, 10, 12), radius=0.5)]) / 2
    shown = ShownResult(proposal(node, array), node)
    found = shown.proposal.mask(0.3)
    assert shown.count(0.3, 1) == (found.array == 1).sum()
    assert shown.count(0.3, 2) == (found.array == 2).sum()
    assert shown.count(0.3) == (found.array > 0).sum()
