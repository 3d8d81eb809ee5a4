import numpy as np
import pytest
from scipy import ndimage

from DiffusionSegLib.methods.adzus.corrections import (
    corrected_outlines,
    local_changes,
    new_readings,
    with_hints,
)
from DiffusionSegLib.methods.adzus.editing import EditWeights, edit_score
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.reading import PlaneReader
from Testing.Library.methods.adzus.made_planes import made_plane, thing

SIZE = (96, 96)
PLANE = made_plane()
DISC, BAR = thing(1), thing(2)
FIRST = disc_hint(34, 34, SIZE, True)
IN_BAR = disc_hint(80, 60, SIZE, True)
NOT_BAR = disc_hint(80, 60, SIZE, False)
BETWEEN = disc_hint(60, 50, SIZE, False)


@pytest.fixture(scope="module", params=["both", "attention", "image"])
def reader(request):
    return PlaneReader(PLANE, request.param)


def test_with_hints_sets_their_pixels_in_a_copy():
    outline = DISC.copy()
    stroke = Hint(np.array([[0, 0], [1, 5]]), True, is_click=False)
    found = with_hints(outline, [stroke, disc_hint(34, 34, SIZE, False)])
    assert np.array_equal(outline, DISC)
    assert found[0, 0] and found[1, 5] and not found[34, 34]
    assert (found != outline).sum() == 3
    assert np.array_equal(with_hints(outline, []), outline)


def test_what_is_added_grows_around_the_click_in_one_part(reader):
    found = list(local_changes(reader, DISC, IN_BAR, [FIRST]))
    assert found
    for outline in found:
        assert outline[80, 60]
        assert (outline >= DISC).all()
        added = outline & ~DISC
        labels, _ = ndimage.label(added)
        assert added.sum() >= 4
        # Holes that the addition closed are filled with it; all else is one part.
        beside = added & (labels != labels[80, 60])
        assert not beside.any() or (ndimage.binary_fill_holes(outline & ~beside) >= beside).all()
    areas = [one.sum() for one in found]
    assert len(set(areas)) > 3
    overlaps = [(one & BAR).sum() / ((one & ~DISC) | BAR).sum() for one in found]
    assert max(overlaps) > 0.6


def test_what_is_taken_away_is_a_part_of_the_last_outline(reader):
    last = DISC | BAR
    found = list(local_changes(reader, last, NOT_BAR, [FIRST]))
    assert found
    for outline in found:
        assert not outline[80, 60]
        assert (outline <= last).all()
        assert outline[DISC].all()  # not connected to the click within the outline
    assert min(int((one & BAR).sum()) for one in found) == 0  # at most all of it


def test_changes_end_before_a_hint_that_says_otherwise(reader):
    stop = disc_hint(80, 80, SIZE, False)
    for outline in local_changes(reader, DISC, IN_BAR, [FIRST, stop]):
        assert not outline[80, 80]
        assert outline[34, 34]
    kept = disc_hint(85, 40, SIZE, True)
    for outline in local_changes(reader, DISC | BAR, NOT_BAR, [FIRST, kept]):
        assert outline[85, 40]


def test_a_contrary_hint_on_the_same_place_leaves_no_local_change(reader):
    contrary = Hint(IN_BAR.pixels, False)
    assert list(local_changes(reader, DISC, IN_BAR, [FIRST, contrary])) == []


def test_new_readings_agree_with_the_click_and_hold_what_was_included(reader):
    other = disc_hint(80, 40, SIZE, True)
    found = list(new_readings(reader, DISC | BAR, NOT_BAR, [FIRST, other], 0.5))
    assert all(not outline[80, 60] for outline in found)
    found = list(new_readings(reader, DISC, IN_BAR, [FIRST], 0.5))
    assert found
    for outline in found:
        assert outline[80, 60]
        assert outline[34, 34]
        assert not outline.all()


def test_they_are_weighed_like_readings(reader):
    """The probability is the share of exp(score) of the outlines that hold a pixel."""
    weights = EditWeights()
    others = [FIRST, BETWEEN]
    found = corrected_outlines(reader, DISC, IN_BAR, others, 0.5, weights, 4)
    outlines = [(one, True) for one in local_changes(reader, DISC, IN_BAR, others)]
    outlines += [(one, False) for one in new_readings(reader, DISC, IN_BAR, others, 0.5)]
    scores = np.array([
        edit_score(one, DISC, IN_BAR, PLANE.canvas, local, weights) for one, local in outlines
    ])  # fmt: skip
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    wanted = sum(share * one for share, (one, _) in zip(shares, outlines, strict=True))
    assert np.allclose(found.probability, wanted, atol=1e-5)
    best = outlines[int(shares.argmax())][0]
    assert np.array_equal(found.likeliest[0].outline, best)
    assert found.likeliest[0].likelihood == pytest.approx(shares.max(), rel=1e-5)
    assert 1 <= len(found.likeliest) <= 4
    for number, one in enumerate(found.likeliest):
        assert all(one.differs(other) for other in found.likeliest[:number])


def test_none_when_nothing_agrees(reader):
    """The first click taken back at its own pixel: no reading of it is left."""
    back = Hint(FIRST.pixels, False)
    assert corrected_outlines(reader, DISC, back, [FIRST], 0.5, EditWeights(), 4) is None


def test_a_click_on_a_pixel_that_was_excluded_adds_that_pixel_alone(reader):
    contrary = Hint(IN_BAR.pixels, False)
    found = corrected_outlines(reader, DISC, IN_BAR, [FIRST, contrary], 0.5, EditWeights(), 4)
    added = found.likeliest[0].outline & ~DISC
    assert np.argwhere(added).tolist() == [[80, 60]]
    assert found.likeliest[0].outline[DISC].all()
