"""The fast cut gives the same voxels as the proposal, at every step of the slider."""

from __future__ import annotations

import numpy as np
import pytest

from DiffusionSegBridge.graded_outline import STEPS, boundingBlock, gradeMask, gradeProposal
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

SHAPE = (7, 12, 15)
FOUND = PresenceVerdict(Verdict.FOUND, 0.9, "")


def _proposal(array, verdict=FOUND, **spatial) -> Proposal:
    geometry = Geometry(SHAPE, (0.7, 0.9, 2.0), (5.0, -3.0, 9.0), **spatial)
    grid = geometry if array.shape[1:] == SHAPE else geometry.with_shape(array.shape[1:])
    labels = tuple(label_for(3 * n + 1) for n in range(len(array)))
    provenance = Provenance("m", "n")
    return Proposal(Image(array, grid), labels, verdict, provenance, geometry=geometry)


def _cut(proposal: Proposal, threshold: float) -> np.ndarray:
    whole = np.full(SHAPE, 0, np.uint8)
    gradeProposal(proposal).write(threshold, whole)
    return whole


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("shape", [SHAPE, (4, 6, 9)])
def test_same_voxels_as_the_proposal_at_every_step(dtype, labels, shape) -> None:
    """Probabilities on the steps themselves, where a rounding error would show."""
    rng = np.random.default_rng(labels)
    array = (rng.integers(0, STEPS // labels + 1, (labels, *shape)) / STEPS).astype(dtype)
    proposal = _proposal(array)
    outline = gradeProposal(proposal)
    whole = np.zeros(SHAPE, np.uint8)
    for step in range(1, STEPS + 1):
        expected = proposal.mask(step / STEPS).array
        outline.write(step / STEPS, whole)
        np.testing.assert_array_equal(whole, expected)
        assert outline.count(step / STEPS) == np.count_nonzero(expected)
        assert outline.count(step / STEPS, 4) == np.count_nonzero(expected == 4)


def test_only_where_there_is_anything_to_show() -> None:
    array = np.zeros((1, *SHAPE), np.float32)
    array[0, 2:4, 5:7, 8] = 0.6
    outline = gradeProposal(_proposal(array))
    assert outline.block == (slice(2, 4), slice(5, 7), slice(8, 9))
    assert outline.level.nbytes == 4


def test_a_turned_coarse_grid_loses_nothing_at_its_rim() -> None:
    """The block of a coarse grid must hold every voxel that interpolation can reach."""
    array = np.zeros((1, 4, 5, 6), np.float32)
    array[0, 1, 2, 3] = 1.0
    angle = 0.4
    direction = (
        (np.cos(angle), -np.sin(angle), 0.0), (np.sin(angle), np.cos(angle), 0.0), (0.0, 0.0, 1.0),
    )  # fmt: skip
    proposal = _proposal(array, direction=direction)
    for threshold in (0.005, 0.1, 0.9):
        np.testing.assert_array_equal(_cut(proposal, threshold), proposal.mask(threshold).array)


def test_not_found_is_empty_and_so_is_nothing() -> None:
    array = np.ones((1, *SHAPE), np.float32)
    absent = PresenceVerdict(Verdict.NOT_FOUND, 0.1, "")
    assert not _cut(_proposal(array, absent), 0.5).any()
    assert not _cut(_proposal(0 * array), 0.005).any()


def test_thresholds_outside_the_slider_are_clipped() -> None:
    array = np.full((1, *SHAPE), 0.004, np.float32)
    array[0, 0, 0, 0] = 1.0
    assert _cut(_proposal(array), 0.0).sum() == 1
    assert _cut(_proposal(array), 5.0).sum() == 1


def test_a_finished_mask_stays_the_same_at_every_threshold() -> None:
    rng = np.random.default_rng(0)
    mask = Mask(rng.integers(0, 3, SHAPE).astype(np.uint8) * 2, Geometry(SHAPE))
    for threshold in (0.005, 1.0):
        whole = np.zeros(SHAPE, np.uint8)
        gradeMask(mask).write(threshold, whole)
        np.testing.assert_array_equal(whole, mask.array)


def test_what_is_kept_holds_at_every_threshold_with_its_label() -> None:
    rng = np.random.default_rng(1)
    proposal = _proposal(rng.random((2, 4, 6, 9)).astype(np.float32) / 2)
    before = np.zeros(SHAPE, np.uint8)
    before[0, 0, 0], before[6, 11, 14] = 4, 1
    kept = rng.random(SHAPE) < 0.3
    kept[0, 0, 0] = kept[6, 11, 14] = True
    outline = gradeProposal(proposal).keeping(kept, before, SHAPE)
    for threshold in (0.005, 0.4, 1.0):
        whole = np.zeros(SHAPE, np.uint8)
        outline.write(threshold, whole)
        expected = np.where(kept, before, proposal.mask(threshold).array)
        np.testing.assert_array_equal(whole, expected)


def test_bounding_block() -> None:
    array = np.zeros(SHAPE, bool)
    assert boundingBlock(array) == (slice(0, 0),) * 3
    array[1, 2, 3] = array[5, 2, 9] = True
    assert boundingBlock(array) == (slice(1, 6), slice(2, 3), slice(3, 10))
