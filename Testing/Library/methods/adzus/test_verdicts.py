import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.answer import Answer
from DiffusionSegLib.methods.adzus.verdicts import verdict_of
from DiffusionSegLib.nouns.verdict import Verdict

SCORES = st.floats(-1.0, 2.0)
WORDS = st.sampled_from(["", "liver", "liver tumor", "skin lesion", "nucleus", "Pneumonia"])


def answer(score, by_user=False, remark=""):
    return Answer(np.zeros((1, 2, 2)), score, "rule", by_user, remark)


@given(SCORES, st.booleans(), WORDS, st.booleans())
def test_every_verdict_is_careful(score, by_user, text, is_empty):
    found = verdict_of(answer(score, by_user), text, is_empty)
    assert 0 <= found.score <= 1
    assert found.reason.endswith(".")
    assert (found.state is Verdict.FOUND) <= (by_user or text in ("liver", "nucleus"))
    if is_empty:
        assert (found.state, found.score) == (Verdict.NOT_FOUND, 0.0)
    elif by_user:
        assert found.state is Verdict.FOUND


@pytest.mark.parametrize(
    ("text", "score", "state"),
    [
        ("liver", 0.5, Verdict.FOUND),
        ("liver", 0.49, Verdict.UNCERTAIN),
        ("liver", 0.2, Verdict.UNCERTAIN),
        ("liver", 0.19, Verdict.NOT_FOUND),
        ("lung tumor", 1.0, Verdict.UNCERTAIN),
        ("lung tumor", 0.1, Verdict.NOT_FOUND),
        ("", 1.0, Verdict.UNCERTAIN),
        ("", 0.1, Verdict.NOT_FOUND),
    ],
)
def test_words_are_believed_by_how_well_they_fit(text, score, state):
    found = verdict_of(answer(score), text, False)
    assert found.state is state
    if text:
        assert repr(text) in found.reason
    if state is Verdict.NOT_FOUND:
        assert "click what is meant" in found.reason


def test_pathology_is_said_to_be_placed_poorly():
    reason = verdict_of(answer(0.9), "melanoma", False).reason
    assert "disease" in reason
    assert "check it" in reason


def test_a_remark_is_passed_on():
    assert verdict_of(answer(1.0, True, "Mind this."), "", False).reason.endswith("Mind this.")
    assert verdict_of(answer(1.0, True, "Mind this."), "", True).reason.endswith("Mind this.")
    assert verdict_of(answer(1.0, True), "", False).reason == "The user marked it."
