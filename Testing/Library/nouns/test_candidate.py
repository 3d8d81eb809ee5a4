import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.mask import Mask

MASK = Mask.from_array(np.ones((2, 3, 4), np.uint8))


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_a_score_is_a_fraction(score: float) -> None:
    candidate = Candidate(MASK, score, "part 2 of 5")
    assert (candidate.mask, candidate.score, candidate.title) == (MASK, score, "part 2 of 5")


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan")])
def test_another_score_is_refused(score: float) -> None:
    with pytest.raises(InputError, match=f"from 0 to 1, not {score}"):
        Candidate(MASK, score, "part 2 of 5")
