import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict


def propose(array: np.ndarray, state: Verdict = Verdict.FOUND) -> Proposal:
    labels = tuple(Label(10 * (n + 1), f"label {n}") for n in range(len(array)))
    image = Image(array, Geometry(array.shape[1:]))  # type: ignore[arg-type]
    return Proposal(image, labels, PresenceVerdict(state, 0.9, "why"), Provenance("m", "m/x"))


def test_no_gap_opens_between_two_labels() -> None:
    array = np.array([[[[0.9, 0.3, 0.1, 0.2]]], [[[0.0, 0.3, 0.8, 0.1]]]], np.float32)
    assert propose(array).mask().array.ravel().tolist() == [10, 10, 20, 0]
    assert propose(array).mask(0.85).array.ravel().tolist() == [10, 0, 20, 0]


def test_not_found_is_empty_and_uncertain_is_not() -> None:
    array = np.ones((1, 2, 2, 2), np.float16)
    assert propose(array, Verdict.NOT_FOUND).mask().is_empty
    assert not propose(array, Verdict.UNCERTAIN).mask().is_empty


def test_the_mask_carries_labels_and_provenance() -> None:
    proposal = propose(np.ones((1, 2, 2, 2), np.float16))
    mask = proposal.mask()
    assert mask.labels == proposal.labels
    assert mask.provenance is proposal.provenance
    assert mask.geometry is proposal.probability.geometry


@given(
    hnp.arrays(np.float32, (3, 2, 3, 4), elements=st.floats(0, 0.25, width=32)),
    st.floats(0.01, 1.0),
)
def test_the_outline_shrinks_as_the_threshold_grows(array: np.ndarray, threshold: float) -> None:
    proposal = propose(array)
    total = array.sum(axis=0, dtype=np.float32)
    outline = proposal.mask(threshold).array
    assert np.array_equal(outline > 0, total >= threshold)
    inside = outline > 0
    chosen = outline[inside] // 10 - 1
    assert np.array_equal(chosen, array.argmax(axis=0)[inside])


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5, float("nan")])
def test_impossible_thresholds_are_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        propose(np.ones((1, 2, 2, 2))).mask(threshold)


def test_labels_and_channels_must_agree() -> None:
    image = Image(np.ones((2, 2, 2, 2)), Geometry((2, 2, 2)))
    with pytest.raises(InputError, match="2 probability channels"):
        Proposal(
            image, (Label(1, "a"),), PresenceVerdict(Verdict.FOUND, 1, ""), Provenance("m", "x")
        )
