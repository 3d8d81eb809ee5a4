import pytest

from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict


def test_there_are_three_verdicts() -> None:
    assert {verdict.name for verdict in Verdict} == {"FOUND", "UNCERTAIN", "NOT_FOUND"}


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_lies_between_nothing_and_certain(score: float) -> None:
    with pytest.raises(ValueError, match="score"):
        PresenceVerdict(Verdict.FOUND, score, "why")
