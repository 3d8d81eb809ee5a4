"""What a run found becomes a proposal on the image's own grid."""

from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.methods.constraints import FREE
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.outcome import Outcome, make_proposal
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from Testing.Library.methods.diffugts.toys import head, toy_session, write_models

IMAGE, LESION = head(64, 64)
FOUND = PresenceVerdict(Verdict.FOUND, 0.9, "Why.")


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    session = toy_session(write_models(tmp_path_factory.mktemp("models")), "plain")
    session.set_image(IMAGE)
    return session


def made(session, probability, verdict=FOUND, prompt=None, fixed=None, around=None, **more):
    embedding = session._chosen.embedding
    shape = tuple(embedding.read_as("auto").picture.shape[2:])
    values = np.zeros(shape, np.float32)
    k, j, i = probability.shape
    values[:k, :j, :i] = probability
    outcome = Outcome(values, verdict, np.zeros(shape, np.float32), rule="a rule", **more)
    run = RunOptions(seed=5)
    return make_proposal(
        session._predictor, embedding, outcome, prompt or Prompt(), run, fixed, 0.0, around
    )


def test_a_probability_is_an_outline_with_its_label(session):
    found = made(session, LESION.astype(np.float32), prompt=Prompt(text="kidney cyst"))
    assert np.array_equal(found.mask().array, LESION.astype(np.uint8))
    assert found.verdict == FOUND and found.uncertainty is None
    assert [(label.value, label.name) for label in found.labels] == [(1, "kidney cyst")]
    assert made(session, LESION.astype(np.float32)).labels[0].name == "Lesion"
    assert (found.provenance.seed, found.provenance.rule) == (5, "a rule")
    assert found.auxiliary == {}  # nothing was drawn, and there are no maps


@pytest.mark.parametrize("state", [Verdict.FOUND, Verdict.UNCERTAIN])
def test_an_empty_outline_is_never_a_success(session, state):
    found = made(session, np.full(LESION.shape, 0.49, np.float32), replace(FOUND, state=state))
    assert found.verdict.state is Verdict.NOT_FOUND and found.mask().is_empty
    assert "nothing to outline" in found.verdict.reason


def test_what_was_not_found_keeps_its_reason(session):
    verdict = PresenceVerdict(Verdict.NOT_FOUND, 0.1, "Nothing here.")
    found = made(session, LESION.astype(np.float32), verdict)
    assert found.verdict == verdict and found.mask().is_empty


def test_what_the_user_decided_goes_before_all(session):
    fixed = np.full(LESION.shape, FREE, np.int16)
    fixed[0, 3, 3], fixed[LESION] = 1, 0
    found = made(session, LESION.astype(np.float32), fixed=fixed)
    assert found.mask().array.sum() == 1 and found.mask().array[0, 3, 3]


def test_nothing_lies_outside_a_box(session):
    box = Box.from_corners(*IMAGE.geometry.kji_to_ras([[0, 20, 36], [0, 26, 44]]))
    found = made(session, np.ones(LESION.shape, np.float32), prompt=Prompt(boxes=[box]))
    assert found.mask(0.01).array.sum() == 7 * 9 and found.mask().array[0, 20:27, 36:45].all()


def test_twin_and_difference_are_in_the_image_s_own_units(session):
    scan = Image(IMAGE.array.astype(np.int16) * 10, IMAGE.geometry)
    session.set_image(scan)
    embedding = session._chosen.embedding
    reading = embedding.read_as("auto")
    picture = reading.picture[0, 0].numpy()
    spread = np.full_like(picture, 0.25)
    found = made(session, LESION.astype(np.float32), healthy=0.5 * picture, spread=spread)
    low, high = reading.intensities.low, reading.intensities.high
    twin, difference = (found.auxiliary[n].array[0] for n in ("pseudo-healthy", "difference"))
    shown = np.clip(scan.array[0], low, high)
    np.testing.assert_allclose(twin + difference, shown, atol=0.1)
    np.testing.assert_allclose(difference, 0.5 * (shown - low), atol=0.1)
    assert np.all(found.uncertainty.array == 0.25)
    session.set_image(IMAGE)


def test_outside_the_region_a_refined_mask_stays(session):
    region = Box.from_corners(*IMAGE.geometry.kji_to_ras([[0, 10, 10], [0, 50, 50]]))
    session.set_image(IMAGE, region)
    around = np.zeros(LESION.shape, np.uint8)
    around[0, 5:30, 2:40] = 1
    zero = np.zeros(session._chosen.embedding.grid.shape_kji, np.float32)
    found = made(session, zero, around=Mask(around, IMAGE.geometry)).mask().array
    wanted = around.copy()
    wanted[0, 10:51, 10:51] = 0
    assert np.array_equal(found, wanted)
    everywhere = made(session, zero + 1)
    assert everywhere.mask(0.99).array[0, 10:51, 10:51].all()
    assert everywhere.mask(0.01).array.sum() == 41**2
    session.set_image(IMAGE)
