"""Specks and pinholes go, parts and holes of some size stay, and so does what the user said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.asked_target import asked_target
from DiffusionSegLib.methods.diffugts.coarse_mask import CoarseMask
from DiffusionSegLib.methods.diffugts.outlining import Outlining
from DiffusionSegLib.methods.diffugts.tidying import tidied
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.diffugts.toys import head, toy_session, write_models

UNIT = st.floats(0, 1, width=32)


def outline(shape=(1, 24, 24)):
    """A part of 100 pixels in slice 0."""
    found = np.full(shape, 0.1, np.float32)
    found[0, 2:12, 2:12] = 0.9
    return found


@pytest.mark.parametrize(("side", "stays"), [(3, False), (4, True)])
def test_a_part_below_a_tenth_of_the_largest_goes(side, stays):
    given_ = outline()
    given_[0, 15 : 15 + side, 15 : 15 + side] = 0.7
    found = tidied(given_, 2)
    assert found.dtype == np.float32
    assert found[0, 16, 16] == pytest.approx(0.7 if stays else 0.3)
    given_[0, 15 : 15 + side, 15 : 15 + side] = found[0, 16, 16]
    assert np.array_equal(found, given_), "nothing else changes"


@pytest.mark.parametrize(("wide", "stays"), [(2, False), (3, True)])
def test_a_hole_above_a_twentieth_stays(wide, stays):
    given_ = outline()
    given_[0, 4:6, 4 : 4 + wide] = 0.2
    assert tidied(given_, 2)[0, 5, 5] == pytest.approx(0.2 if stays else 0.8)


def test_what_was_marked_stays_and_what_was_excluded_stays_out():
    given_, told = outline(), np.zeros((1, 24, 24), np.int8)
    given_[0, 15:17, 15:17], given_[0, 5, 5], given_[0, 8, 8] = 0.7, 0.2, 0.2
    told[0, 15, 15], told[0, 5, 5] = 1, -1
    found = tidied(given_, 2, told)
    assert found[0, 16, 16] == pytest.approx(0.7)
    assert found[0, 5, 5] == pytest.approx(0.2)
    assert found[0, 8, 8] == pytest.approx(0.8)


def test_a_thin_end_in_the_next_slice_is_no_speck():
    given_ = outline((3, 24, 24))
    given_[1, 5, 5] = 0.8
    given_[2, 20, 20] = 0.8
    found = tidied(given_, 2)
    assert found[1, 5, 5] == pytest.approx(0.8)
    assert found[2, 20, 20] == pytest.approx(0.2)


def test_holes_are_of_slices_where_slices_were_drawn_one_by_one():
    given_ = np.full((5, 12, 12), 0.1, np.float32)
    given_[:, 2:10, 2:10] = 0.9
    given_[:, 5, 5] = 0.2  # a canal through all of it
    assert (tidied(given_, 2)[:, 5, 5] > 0.5).all()
    assert np.array_equal(tidied(given_, 3), given_)
    given_[[0, 4], 5, 5] = 0.9
    assert (tidied(given_, 3)[1:4, 5, 5] > 0.5).all()


def test_a_gap_at_the_border_is_no_hole():
    given_ = np.full((1, 12, 12), 0.9, np.float32)
    given_[0, 0, 5] = given_[0, 5, 11] = 0.2
    assert np.array_equal(tidied(given_, 2), given_)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, (2, 7, 8), elements=UNIT),
    arrays(np.int8, (2, 7, 8), elements=st.integers(-1, 1)),
)
def test_whatever_comes(probability, told):
    before = probability.copy()
    found = tidied(probability, 2, told)
    assert np.array_equal(before, probability), "what is handed in is left alone"
    assert (
        (found == before)
        | (found == 1 - before)
        | (found == np.nextafter(np.float32(0.5), np.float32(0)))
    ).all()
    changed = (found >= 0.5) != (before >= 0.5)
    assert not (changed & (before >= 0.5) & (told == 1)).any()
    assert not (changed & (before < 0.5) & (told == -1)).any()
    known, _ = ndimage.label(before >= 0.5)
    least = 0.1 * max(np.bincount(known[known > 0]), default=0)
    labels, count = ndimage.label(found >= 0.5)
    for number in range(1, count + 1):
        part = labels == number
        assert part.sum() >= least or (told[part] == 1).any()


def test_nothing_found_is_nothing_still():
    nothing = np.zeros((2, 5, 5), np.float32)
    assert np.array_equal(tidied(nothing, 2), nothing)


@pytest.mark.parametrize("marked", [False, True])
def test_an_outline_is_tidied_but_for_what_was_marked(tmp_path, marked):
    image, _lesion = head(72, 80)
    session = toy_session(write_models(tmp_path), "plain")
    session.set_image(image)
    predictor = session._predictor
    embedding = predictor.embed(image, None, Progress.silent())
    reading = embedding.read_as("auto")
    belief = np.zeros(reading.picture.shape[2:], np.float32)
    belief[0, 20:40, 20:40] = belief[0, 60:63, 60:63] = 1.0
    told = np.zeros(belief.shape, np.int8)
    told[0, 61, 61] = marked
    outlining = Outlining(
        predictor.backbone, None, embedding, reading, predictor._settings(RunOptions())
    )
    found = outlining.run(
        CoarseMask(belief, np.ones(1, np.float32), told), np.zeros_like(belief),
        PresenceVerdict(Verdict.FOUND, 1.0, "Marked."), asked_target("tumor"), None, RunOptions(),
        Progress.silent(),
    )  # fmt: skip
    assert found.spread is not None, "it was drawn anew"
    assert found.probability[0, 30, 30] > 0.5
    assert (found.probability[0, 61, 61] > 0.5) == marked
