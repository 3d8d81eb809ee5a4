import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.presence import PresenceEvidence, PresenceLimits, verdict_of
from DiffusionSegLib.nouns.verdict import Verdict

LIMITS = PresenceLimits(0.25, 0.75, 4.0)


def state(evidence, limits=LIMITS):
    return verdict_of(evidence, limits, "the spot").state


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.2499, Verdict.NOT_FOUND), (0.25, Verdict.UNCERTAIN), (0.7499, Verdict.UNCERTAIN),
        (0.75, Verdict.FOUND), (1.0, Verdict.FOUND),
    ],
)  # fmt: skip
def test_the_limits_belong_to_the_better_answer(score, expected):
    evidence = PresenceEvidence(voxels=100, probability=100 * score)
    assert evidence.score(LIMITS) == pytest.approx(score)
    assert state(evidence) is expected


def test_nothing_is_never_found():
    for limits in (LIMITS, PresenceLimits(0.0, 0.0, 0.0)):
        verdict = verdict_of(PresenceEvidence(), limits, "the spot")
        assert verdict.state is Verdict.NOT_FOUND
        assert verdict.score == 0
        assert verdict.reason == "This image does not seem to show the spot."


def test_doubt_smallness_and_disagreement_lower_the_score():
    sure = PresenceEvidence(100, 90.0, 1.0)
    assert sure.score(LIMITS) == pytest.approx(0.9)
    assert PresenceEvidence(100, 60.0, 1.0).score(LIMITS) == pytest.approx(0.6)
    assert PresenceEvidence(100, 90.0, 0.25).score(LIMITS) == pytest.approx(0.45)
    assert PresenceEvidence(2, 1.8, 1.0).score(LIMITS) == pytest.approx(0.45)
    assert PresenceEvidence(8, 7.2, 1.0).score(LIMITS) == pytest.approx(0.9)


def test_every_answer_has_a_sentence_of_its_own():
    reasons = {
        verdict_of(PresenceEvidence(100, 100 * share), LIMITS, "the spot").reason
        for share in (0.1, 0.5, 0.9)
    }
    assert len(reasons) == 3
    assert all("the spot" in reason and reason.endswith(".") for reason in reasons)


def test_labels_count_together_and_only_inside():
    evidence = PresenceEvidence()
    mean = np.zeros((2, 1, 2, 2), np.float32)
    mean[:, 0, 0, 0] = 0.3, 0.3  # together inside
    mean[:, 0, 0, 1] = 0.9, 0.4  # never above one
    mean[:, 0, 1, 0] = 0.2, 0.2  # together outside
    evidence.add(mean, 1.0)
    assert evidence.voxels == 2
    assert evidence.probability == pytest.approx(1.6)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 1)), min_size=1, max_size=5))
def test_slabs_add_up_to_the_whole(slabs):
    parts = [
        (np.random.default_rng(seed).random((1, 1, 4, 4), np.float32), agreement)
        for seed, agreement in slabs
    ]
    evidence, counts = PresenceEvidence(), []
    for mean, agreement in parts:
        evidence.add(mean, agreement)
        counts.append((mean >= 0.5).sum())
    whole = np.concatenate([mean for mean, _ in parts])
    assert evidence.voxels == (whole >= 0.5).sum()
    assert evidence.probability == pytest.approx(whole[whole >= 0.5].sum(), rel=1e-5)
    if sum(counts):
        expected = np.average([agreement for _, agreement in parts], weights=counts)
        assert evidence.agreement == pytest.approx(expected, abs=1e-6)
    assert 0 <= evidence.score(LIMITS) <= 1


def test_limits_come_from_the_card():
    card = {"absent": 0.1, "found": 0.2, "smallest": 3}
    assert PresenceLimits.from_dict(card) == PresenceLimits(0.1, 0.2, 3.0)
    with pytest.raises(KeyError):
        PresenceLimits.from_dict({"absent": 0.1})
