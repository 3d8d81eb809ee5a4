"""The best union of regions against all unions there are, and against taking and dropping."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.label_pairs import label_pairs
from DiffusionSegLib.evaluation.oracle import NoRegionsError, best_union, oracle_scores
from DiffusionSegLib.evaluation.truth import Truth
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

SHAPE = (2, 4, 5)
regions_of = hnp.arrays(np.int64, SHAPE, elements=st.integers(0, 6))
yes_or_no = hnp.arrays(bool, SHAPE)


def dice_of(numbers, regions, truth, counted):
    return metrics.dice(np.isin(regions, list(numbers))[counted], truth[counted])


def best_of_all(regions, truth, counted):
    names = np.unique(regions)
    unions = chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))
    return max(dice_of(union, regions, truth, counted) for union in unions)


def taken_and_dropped(regions, truth, counted):
    """Starts with what lies mostly inside, then takes or drops one at a time."""
    names = [int(name) for name in np.unique(regions)]
    taken = set()
    for name in names:
        part = (regions == name) & counted
        if part.any() and 2 * (part & truth).sum() > part.sum():
            taken.add(name)
    now = dice_of(taken, regions, truth, counted)
    while True:
        dice, union = max(
            ((dice_of(taken ^ {name}, regions, truth, counted), taken ^ {name}) for name in names),
            key=lambda pair: pair[0],
        )
        if dice <= now + 1e-12:
            return now
        now, taken = dice, union


@given(regions_of, yes_or_no, yes_or_no)
def test_no_union_is_better(regions, truth, counted):
    found = best_union(regions, truth, counted)
    assert found.dice == pytest.approx(best_of_all(regions, truth, counted), abs=1e-12)
    assert found.dice == pytest.approx(taken_and_dropped(regions, truth, counted), abs=1e-12)
    assert found.dice == pytest.approx(dice_of(found.numbers, regions, truth, counted), abs=1e-12)
    union = np.isin(regions, found.numbers)[counted]
    assert found.iou == pytest.approx(metrics.iou(union, truth[counted]), abs=1e-12)


def test_a_region_that_lies_less_than_half_inside_may_still_help():
    regions = np.array([[[1, 1, 1, 1, 2, 2, 2, 2, 2, 0]]])
    truth = np.array([[[1, 0, 0, 0, 1, 1, 0, 0, 0, 0]]], bool)
    found = best_union(regions, truth)
    # 2 alone: 2 * 2 / (5 + 3) = 0.5; with 1: 2 * 3 / (9 + 3) = 0.5; fewer regions are preferred.
    assert (found.numbers, found.count, found.dice) == ((2,), 3, 0.5)


def test_without_an_object_nothing_is_taken():
    found = best_union(np.arange(6).reshape(1, 2, 3), np.zeros((1, 2, 3), bool))
    assert (found.numbers, found.dice, found.iou) == ((), 1.0, 1.0)


def propose(auxiliary):
    labels = (Label(1, "core"), Label(2, "rim"))
    image = Image(np.zeros((2, 1, 2, 4), np.float32), Geometry((1, 2, 4)))
    verdict = PresenceVerdict(Verdict.FOUND, 1.0, "")
    provenance = Provenance("toy", "toy/x")
    return Proposal(image, labels, verdict, provenance, auxiliary=auxiliary), labels


def truth():
    array = np.array([[[1, 1, 2, 2], [1, 0, 2, 0]]], np.uint8)
    return Truth(Mask(array, Geometry((1, 2, 4))), np.ones(array.shape, bool))


def test_every_label_has_its_own_choice():
    values = np.array([[[[4, 4, 7, 7], [4, 4, 9, 9]]]], np.float32)  # whole numbers, as floats
    proposal, labels = propose({"regions": Image(values, Geometry((1, 2, 4)))})
    core, rim = oracle_scores(proposal, truth(), label_pairs(labels))
    assert (core.name, core.regions, core.offered) == ("core", 1, 3)
    assert core.dice == pytest.approx(6 / 7)
    assert (rim.name, rim.regions) == ("rim", 2)
    assert rim.dice == pytest.approx(6 / 7)
    assert rim.iou == pytest.approx(3 / 4)


def test_what_are_no_regions_is_refused():
    pairs = label_pairs(propose({})[1])
    with pytest.raises(NoRegionsError, match=r"method toy gives no regions.*leave --oracle out"):
        oracle_scores(propose({})[0], truth(), pairs)
    half = Image(np.full((1, 1, 2, 4), 0.5), Geometry((1, 2, 4)))
    with pytest.raises(InputError, match="not whole numbers"):
        oracle_scores(propose({"regions": half})[0], truth(), pairs)
    small = Image(np.zeros((1, 1, 2, 3), np.int32), Geometry((1, 2, 3)))
    with pytest.raises(InputError, match=r"\(1, 2, 3\) voxels"):
        oracle_scores(propose({"regions": small})[0], truth(), pairs)
