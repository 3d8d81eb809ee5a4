"""An outline that is cut at any threshold by comparing one byte a voxel."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.verdict import Verdict

__all__ = [
    "STEPS",
    "Block",
    "GradedOutline",
    "boundingBlock",
    "gradeMask",
    "gradeProposal",
    "stepOf",
]

STEPS = 200
_ALWAYS = 255
_SLAB_VOXELS = 1_000_000
# The thresholds as a proposal compares them: in single precision.
_THRESHOLDS = np.append(np.arange(STEPS + 1) / STEPS, np.inf).astype(np.float32)

Block = tuple[slice, slice, slice]
_NOTHING: Block = (slice(0, 0), slice(0, 0), slice(0, 0))


def stepOf(threshold: float) -> int:
    """The threshold in steps of 1/200, from 1 to 200."""
    return min(max(round(threshold * STEPS), 1), STEPS)


@dataclass(frozen=True, eq=False)
class GradedOutline:
    """Voxels of ``block`` of a grid; everything outside it is background.

    level: (k, j, i) uint8, the largest step of 1/200 that the probability of all labels together
    reaches, 255 for voxels that are inside at every threshold. values: the label of each voxel,
    one number when there is only one.
    """

    block: Block
    level: NDArray[np.uint8]
    values: NDArray[np.uint8] | int

    def write(self, threshold: float, whole: NDArray[np.uint8]) -> None:
        """Set the block of ``whole`` (k, j, i), the whole grid, to label values."""
        part = whole[self.block]
        np.greater_equal(self.level, stepOf(threshold), out=part.view(np.bool_))
        if not (isinstance(self.values, int) and self.values == 1):
            np.multiply(part, self.values, out=part, casting="unsafe")

    def count(self, threshold: float, value: int | None = None) -> int:
        """Voxels of one label (None: of all together)."""
        reached = self._reached[:, stepOf(threshold)]
        return int(reached.sum() if value is None else reached[value])

    def keeping(
        self, kept: NDArray[np.bool_], before: NDArray[np.uint8], shape_kji: tuple[int, int, int]
    ) -> GradedOutline:
        """The outline with the voxels of ``kept`` as they are in ``before`` at every threshold."""
        held = np.where(kept, before, 0).astype(np.uint8, copy=False)
        block = _union(self.block, boundingBlock(held))
        level, values = self._spread(block, shape_kji)
        part, old = kept[block], before[block]
        level[part] = np.where(old[part] > 0, _ALWAYS, 0)
        values[part] = old[part]
        return GradedOutline(block, level, values)

    @cached_property
    def _reached(self) -> NDArray[np.int64]:
        """(value, step): how many voxels of each label reach each step."""
        counts = np.zeros(256 * 256, np.int64)
        levels = np.ascontiguousarray(self.level).ravel()
        values = np.ravel(self.values)
        # In parts: bincount makes eight bytes of every voxel.
        for start in range(0, len(levels), _SLAB_VOXELS):
            part = slice(start, start + _SLAB_VOXELS)
            label = values if len(values) == 1 else values[part]
            keys = label.astype(np.uint16) * np.uint16(256) + levels[part]
            counts += np.bincount(keys, minlength=len(counts))
        return counts.reshape(256, 256)[:, ::-1].cumsum(axis=1)[:, ::-1]

    def _spread(
        self, block: Block, shape_kji: tuple[int, int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Levels and values over a larger block."""
        whole = [np.zeros(shape_kji, np.uint8) for _ in range(2)]
        whole[0][self.block], whole[1][self.block] = self.level, self.values
        return whole[0][block], whole[1][block]


def gradeMask(mask: Mask) -> GradedOutline:
    """A finished outline: the same at every threshold."""
    block = boundingBlock(mask.array)
    values = mask.array[block]
    level = np.where(values > 0, _ALWAYS, 0).astype(np.uint8)
    only = _onlyValue(values)
    return GradedOutline(block, level, values if only is None else only)


def gradeProposal(proposal: Proposal) -> GradedOutline:
    """The outline of a proposal; it is empty when the verdict is NOT_FOUND.

    The same voxels as `Proposal.mask` at every threshold that is a multiple of 1/200. Only the
    part of the grid where the probability reaches the smallest threshold is interpolated.
    """
    steps = grading(proposal)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outline: GradedOutline = end.value
            return outline


def grading(proposal: Proposal) -> Generator[None, None, GradedOutline]:
    """`gradeProposal` bit by bit: a generator that yields between slabs and returns the outline.

    So a program can answer its user while a large result is made ready.
    """
    labels = np.array([label.value for label in proposal.labels], np.uint8)
    block = _reach(proposal.evidence, proposal.geometry)
    if proposal.verdict.state is Verdict.NOT_FOUND or _isEmpty(block):
        return GradedOutline(_NOTHING, np.zeros((0, 0, 0), np.uint8), int(labels[0]))
    region = proposal.geometry.crop(block)
    level = np.empty(region.shape_kji, np.uint8)
    values = np.empty(region.shape_kji if len(labels) > 1 else (0, 0, 0), np.uint8)
    thickness = max(1, _SLAB_VOXELS // (region.shape_kji[1] * region.shape_kji[2]))
    for start in range(0, region.shape_kji[0], thickness):
        yield
        slab = slice(start, min(start + thickness, region.shape_kji[0]))
        part = region.crop((slab, slice(None), slice(None)))
        probability = _evidenceOn(proposal, block, slab, part)
        level[slab] = _levels(probability)
        if len(labels) > 1:
            values[slab] = labels[probability.argmax(axis=0)]
    yield
    outline = GradedOutline(block, level, values if len(labels) > 1 else int(labels[0]))
    outline.count(1.0)  # the histogram is there before the first drag
    return outline


def boundingBlock(array: NDArray[np.uint8] | NDArray[np.bool_]) -> Block:
    """The smallest block (k, j, i) that holds all voxels above 0."""
    block: list[slice] = []
    part = array
    # Each axis is looked at within what the axes before it left.
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        present = np.flatnonzero(part.any(axis=others))
        if not len(present):
            return _NOTHING
        block.append(slice(int(present[0]), int(present[-1]) + 1))
        part = array[tuple(block)]
    return block[0], block[1], block[2]


def _evidenceOn(
    proposal: Proposal, block: Block, slab: slice, part: Geometry
) -> NDArray[np.floating]:
    """The probability (labels, k, j, i) of some slices of the block."""
    evidence = proposal.evidence
    if evidence.geometry == proposal.geometry:
        return evidence.array[:, block[0]][:, slab, block[1], block[2]]
    return evidence.resampled(part, outside=0.0).array


def _levels(probability: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The largest step that is reached, exactly as a comparison with each threshold says."""
    together = probability.sum(axis=0, dtype=np.float32)
    steps = np.clip(together * np.float32(STEPS), 0, STEPS).astype(np.int16)
    # The product is rounded, so it may be one step off either way.
    steps += together >= _THRESHOLDS[steps + 1]
    steps -= together < _THRESHOLDS[steps]
    return np.clip(steps, 0, STEPS).astype(np.uint8)


def _reach(evidence: Image, geometry: Geometry) -> Block:
    """The block of the grid in which the interpolated probability can reach the first step."""
    together = evidence.array.sum(axis=0, dtype=np.float32)
    # Half floats are rounded after the interpolation, hence the margin.
    block = boundingBlock(together >= 0.5 * _THRESHOLDS[1])
    if evidence.geometry == geometry or _isEmpty(block):
        return block
    low = np.array([part.start for part in block]) - 1.0
    high = np.array([part.stop for part in block], dtype=float)
    ends = np.stack([low, high], axis=1)
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    there = geometry.ras_to_kji(evidence.geometry.kji_to_ras(corners))
    first = np.floor(there.min(axis=0)).astype(int)
    last = np.ceil(there.max(axis=0)).astype(int) + 1
    ranges = [
        slice(max(int(start), 0), max(min(int(stop), count), 0))
        for start, stop, count in zip(first, last, geometry.shape_kji, strict=True)
    ]
    return ranges[0], ranges[1], ranges[2]


def _isEmpty(block: Block) -> bool:
    return any(part.start >= part.stop for part in block)


def _union(one: Block, other: Block) -> Block:
    if _isEmpty(one) or _isEmpty(other):
        return other if _isEmpty(one) else one
    parts = [
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    ]
    return parts[0], parts[1], parts[2]


def _onlyValue(values: NDArray[np.uint8]) -> int | None:
    """The one label that occurs, or None when there are several."""
    present = np.flatnonzero(np.bincount(values.ravel(), minlength=256)[1:]) + 1
    return int(present[0]) if len(present) == 1 else (None if len(present) else 1)
