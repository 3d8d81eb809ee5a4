"""The best union of a method's regions, chosen WITH the known outline: what papers that match
regions to the truth report. It says how well the regions follow the object, and is no result of
the method: nobody has the known outline when outlining.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.label_pairs import LabelPair
from DiffusionSegLib.evaluation.scores import OracleScore
from DiffusionSegLib.evaluation.truth import Truth
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = ["REGIONS", "BestUnion", "NoRegionsError", "best_union", "oracle_scores"]

REGIONS = "regions"
BoolArray = NDArray[np.bool_]


class NoRegionsError(InputError):
    """The method gives no numbered regions to choose from."""


@dataclass(frozen=True)
class BestUnion:
    """numbers: the regions that were taken, out of `count`; `dice` and `iou` of their union."""

    numbers: tuple[int, ...]
    count: int
    dice: float
    iou: float


def best_union(
    regions: NDArray[np.integer], truth: BoolArray, counted: BoolArray | None = None
) -> BestUnion:
    """The union of regions with the highest Dice.

    regions: a whole number for every voxel, each number a region, 0 too; truth: the same shape.
    counted: voxels that count; None for all.

    The regions are sorted by the share of them that lies inside, and the best of the unions of the
    first n is taken. No other is better: taking a region raises Dice D exactly when its share is
    above D / 2, so the best union holds all regions above its own D / 2 and none below (Dinkelbach,
    Management Science 13, 1967). To start with the regions that lie mostly inside, and to take or
    drop one as long as that helps, ends at the same Dice.
    """
    numbers, inside, sizes = _overlaps(regions, truth, counted)
    order = np.argsort(-inside / sizes, kind="stable")
    shared = np.concatenate([[0], np.cumsum(inside[order])])
    both = np.concatenate([[0], np.cumsum(sizes[order])]) + int(inside.sum())
    dice = np.where(both == 0, 1.0, 2.0 * shared / np.maximum(both, 1))
    taken = int(np.argmax(dice))
    chosen = tuple(sorted(int(number) for number in numbers[order[:taken]]))
    best = float(dice[taken])
    return BestUnion(chosen, len(numbers), best, best / (2.0 - best))


def oracle_scores(
    proposal: Proposal, truth: Truth, pairs: Sequence[LabelPair]
) -> tuple[OracleScore, ...]:
    """One per label, each with its own choice of regions. Raises NoRegionsError, InputError."""
    regions = _regions(proposal)
    if regions.shape != truth.counted.shape:
        raise InputError(
            f"The method's regions have {regions.shape} voxels but the image "
            f"{truth.counted.shape}; leave --oracle out."
        )
    scores = []
    for pair in pairs:
        found = best_union(regions, pair.true(truth.mask.array), truth.counted)
        scores.append(
            OracleScore(pair.name, found.dice, found.iou, len(found.numbers), found.count)
        )
    return tuple(scores)


def _regions(proposal: Proposal) -> NDArray[np.integer]:
    image = proposal.auxiliary.get(REGIONS)
    if image is None:
        raise NoRegionsError(
            f"The method {proposal.provenance.method} gives no regions to choose from; "
            "leave --oracle out."
        )
    values = image.array[0]
    whole = values if np.issubdtype(values.dtype, np.integer) else np.rint(values)
    if not np.array_equal(whole, values):
        raise InputError("The method's regions are not whole numbers; leave --oracle out.")
    return np.asarray(whole).astype(np.int64)


def _overlaps(
    regions: NDArray[np.integer], truth: BoolArray, counted: BoolArray | None
) -> tuple[NDArray[np.integer], NDArray[np.int64], NDArray[np.int64]]:
    """Each region's number, voxels inside the truth, voxels."""
    if counted is not None:
        regions, truth = regions[counted], truth[counted]
    numbers, index = np.unique(regions, return_inverse=True)
    index = index.ravel()
    sizes = np.bincount(index, minlength=len(numbers))
    inside = np.bincount(index[truth.ravel()], minlength=len(numbers))
    return numbers, inside.astype(np.int64), sizes.astype(np.int64)
