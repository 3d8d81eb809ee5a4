import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.click_rule import RULES, outline_hints
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.reading import EVIDENCE, PlaneReader
from Testing.Library.methods.adzus.made_planes import made_picture, made_plane, thing

SIZE = (96, 96)
PLANE = made_plane()
DISC, BAR = thing(1), thing(2)
SMALL = made_plane(made_picture(48))
PLACE = st.tuples(st.integers(0, 47), st.integers(0, 47))


@st.composite
def hint_lists(draw):
    """Clicks and strokes on places of their own, at least one included."""
    count = draw(st.integers(1, 5))
    places = draw(st.lists(PLACE, min_size=2 * count, max_size=2 * count, unique=True))
    includes = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    includes[draw(st.integers(0, count - 1))] = True
    hints = []
    for number, include in enumerate(includes):
        if draw(st.integers(0, 3)):
            hints.append(Hint(np.array(places[2 * number : 2 * number + 1]), include))
        else:
            hints.append(Hint(np.array(places[2 * number : 2 * number + 2]), include, False))
    return hints


def same(one, other):
    assert np.array_equal(one.probability, other.probability)
    assert one.score == other.score
    assert len(one.candidates) == len(other.candidates)
    for a, b in zip(one.candidates, other.candidates, strict=True):
        assert np.array_equal(a.mask, b.mask)
        assert (a.score, a.title) == (b.score, b.title)


@settings(max_examples=15)
@given(hint_lists(), st.sampled_from(EVIDENCE), st.sampled_from([0.2, 0.5, 0.9]))
def test_all_hints_are_exact_and_answers_do_not_depend_on_what_was_asked_before(
    hints, evidence, granularity
):
    reader = PlaneReader(SMALL, evidence)
    start = next(number for number, hint in enumerate(hints) if hint.include)
    for count in range(start + 1, len(hints) + 1):
        found = outline_hints(reader, hints[:count], granularity)
        for hint in hints[:count]:
            wanted = 1.0 if hint.include else 0.0
            assert (found.probability[tuple(hint.pixels.T)] == wanted).all()
        assert found.probability.min() >= 0.0
        assert found.probability.max() <= 1.0 + 1e-5
        assert 0.0 <= found.score <= 1.0
        assert found.rule == RULES[evidence]
    # Asked at once, by a reader that has seen none of it, the answer is the same.
    same(outline_hints(PlaneReader(SMALL, evidence), hints, granularity), found)
    # And after another granularity and other hints were asked.
    outline_hints(reader, [*hints, Hint(np.array([[0, 0]]), True)], 0.4)
    same(outline_hints(reader, hints, granularity), found)


def test_the_first_hints_answer_is_untouched_by_later_ones():
    """What came before is read from the answers, and must not change when it is built upon."""
    reader = PlaneReader(PLANE)
    hints = [disc_hint(34, 34, SIZE, True), disc_hint(80, 60, SIZE, True)]
    first = outline_hints(reader, hints[:1])
    kept = first.probability.copy()
    second = outline_hints(reader, hints)
    second.probability[:] = 0.5  # an answer belongs to who asked
    assert np.array_equal(first.probability, kept)
    same(outline_hints(reader, hints[:1]), first)
    assert not np.array_equal(outline_hints(reader, hints).probability, second.probability)


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_a_hint_that_the_outline_agrees_with_changes_nothing_else(evidence):
    reader = PlaneReader(PLANE, evidence)
    first = disc_hint(34, 34, SIZE, True)
    before = outline_hints(reader, [first])
    for row, column in ((34, 36), (1, 95)):
        include = bool(before.mask[row, column])
        after = outline_hints(reader, [first, disc_hint(row, column, SIZE, include)])
        assert np.array_equal(after.mask, before.mask)
        changed = np.argwhere(after.probability != before.probability)
        assert all(tuple(place) == (row, column) for place in changed)
        assert after.score == before.score


@pytest.mark.parametrize("evidence", ["both", "image"])
def test_a_click_outlines_the_thing_and_a_second_one_adds_another(evidence):
    reader = PlaneReader(PLANE, evidence)
    clicks = [disc_hint(34, 34, SIZE, True), disc_hint(80, 60, SIZE, True)]
    one = outline_hints(reader, clicks[:1]).mask
    assert _iou(one, DISC) > 0.8
    both = outline_hints(reader, clicks).mask
    assert both[80, 60]
    assert _iou(both, DISC | BAR) > _iou(one, DISC | BAR)


def test_an_excluded_click_takes_its_part_away():
    reader = PlaneReader(PLANE)
    clicks = [disc_hint(34, 34, SIZE, True), disc_hint(80, 60, SIZE, True)]
    both = outline_hints(reader, clicks).mask
    assert both[82, 70]
    without = outline_hints(reader, [*clicks, disc_hint(82, 70, SIZE, False)]).mask
    assert not without[82, 70]
    assert without[34, 34] and without[80, 60]
    assert (without & BAR).sum() < (both & BAR).sum()


def test_excluded_clicks_before_the_first_included_one_count():
    hints = [disc_hint(80, 60, SIZE, False), disc_hint(34, 34, SIZE, True)]
    found = outline_hints(PlaneReader(PLANE), hints, granularity=1.0)
    assert not found.mask[80, 60]
    alone = outline_hints(PlaneReader(PLANE), hints[1:], granularity=1.0)
    assert found.probability.sum() <= alone.probability.sum()


def test_candidates_differ_from_the_answer_and_say_their_size():
    found = outline_hints(PlaneReader(PLANE), [disc_hint(34, 34, SIZE, True)])
    assert found.candidates
    for one in found.candidates:
        assert one.mask[34, 34]
        assert not np.array_equal(one.mask, found.mask)
        ratio = one.mask.sum() / found.mask.sum()
        larger = f"{ratio:.1f} times as large"
        assert one.title == (larger if ratio >= 1 else f"{ratio:.0%} of the size")


def test_only_excluding_hints_are_nobody_s_question():
    with pytest.raises(StopIteration):
        outline_hints(PlaneReader(PLANE), [disc_hint(1, 1, SIZE, False)])


def _iou(one, other):
    return (one & other).sum() / (one | other).sum()
