import pytest

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.asked_target import asked_target
from DiffusionSegLib.methods.diffugts.verdicts import (
    PresenceLimits,
    marked_verdict,
    nothing_left,
    text_verdict,
)
from DiffusionSegLib.nouns.verdict import Verdict

LIMITS = PresenceLimits(0.2, 0.5)


def said(score, text):
    return text_verdict(score, LIMITS, asked_target(text), text)


@pytest.mark.parametrize(
    ("score", "state"),
    [
        (0.0, Verdict.NOT_FOUND), (0.1999, Verdict.NOT_FOUND), (0.2, Verdict.UNCERTAIN),
        (0.4999, Verdict.UNCERTAIN), (0.5, Verdict.FOUND), (1.0, Verdict.FOUND),
    ],
)  # fmt: skip
def test_scores_between_the_limits_are_uncertain(score, state):
    found = said(score, "kidney cyst")
    assert found.state is state and found.score == score and "kidney cyst" in found.reason


@pytest.mark.parametrize(
    "text", ["Nierentumoren", "脑肿瘤", "xyzzy", "Tumor in der Leber", "a tumor", "cyst"]
)
def test_words_that_name_no_organ_are_never_sure(text):
    assert said(0.99, text).state is Verdict.UNCERTAIN
    assert text in said(0.99, text).reason and "English only" in said(0.99, text).reason
    assert said(0.1, text).state is Verdict.NOT_FOUND


def test_no_words_ask_for_any_tumor_and_are_never_sure():
    assert said(0.9, "").state is Verdict.UNCERTAIN and "Nothing was named" in said(0.9, "").reason
    assert said(0.1, "").state is Verdict.NOT_FOUND and "tumor" in said(0.1, "").reason
    assert "brain tumor" in said(0.9, "brain").reason


def test_what_the_user_marked_is_there_and_an_empty_outline_is_not():
    assert marked_verdict(0.3).state is Verdict.FOUND
    assert nothing_left("Why.").state is Verdict.NOT_FOUND and nothing_left("Why.").score == 0


def test_a_card_s_limits_are_checked():
    assert PresenceLimits.from_dict({"absent": 0.1, "found": 0.7}) == PresenceLimits(0.1, 0.7)
    for broken in ({"absent": 0.1}, {"absent": "low", "found": 1}, {}):
        with pytest.raises(ModelError, match="presence limits"):
            PresenceLimits.from_dict(broken)
