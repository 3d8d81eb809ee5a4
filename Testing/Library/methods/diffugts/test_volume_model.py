"""A MAISI of few and random weights: marks and refine in three dimensions, by the same code."""

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled, InputError, PromptError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.diffugts.toys import ball, click, dice, toy_session, write_models

GEOMETRY = Geometry((20, 40, 36), (1.0, 1.0, 1.5))
MIDDLE = tuple(GEOMETRY.kji_to_ras([[10, 20, 18]])[0])
IMAGE, INSIDE = ball(GEOMETRY, MIDDLE, (7, 7, 7), (15, 17, 14))
MASK = Mask(INSIDE.astype(np.uint8), GEOMETRY)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    session = toy_session(write_models(tmp_path_factory.mktemp("models"), volume=True), "volume")
    session.set_image(IMAGE)
    return session


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(points=[MIDDLE]),
        Prompt(boxes=[Box(MIDDLE, (16, 16, 16))]),
        Prompt(points=[MIDDLE], text="liver tumor"),
    ],
    ids=["click", "box", "click and words"],
)
def test_marks_outline_a_ball(session, prompt):
    found = session.propose(prompt)
    assert found.verdict.state is Verdict.FOUND
    assert dice(found.mask().array, INSIDE) > 0.5
    assert found.provenance.parameters["backbone"] == "maisi/rflow-mr"


def test_refine_draws_the_lesion_anew(session):
    found = session.refine(MASK, original=MASK)
    assert dice(found.mask().array, INSIDE) > 0.5
    healthy, difference = found.auxiliary["pseudo-healthy"], found.auxiliary["difference"]
    assert healthy.geometry == difference.geometry and healthy.dimension == 3
    assert healthy.geometry.spacing_mm == (1.0, 1.0, 1.0)
    assert healthy.array.shape == (1, 30, 40, 36)
    low, high = np.percentile(IMAGE.array, (0.5, 99.5))
    assert low - 1 <= healthy.array.min() and healthy.array.max() <= high + 1
    assert np.abs(difference.array).max() > 20
    assert found.uncertainty.array.max() > 0


def test_the_same_again_and_after_being_stopped_anywhere(session):
    told = []
    wanted = session.refine(MASK, original=MASK, progress=Progress(listener=told.append))
    for stop in range(0, len(told), 3):
        left = [stop]

        def cancelled(left=left):
            left[0] -= 1
            return left[0] < 0

        with pytest.raises(Cancelled):
            session.refine(MASK, original=MASK, progress=Progress(cancelled=cancelled))
    again = session.refine(MASK, original=MASK)
    assert np.array_equal(again.probability.array, wanted.probability.array)


def test_painted_and_erased_voxels_are_exact(session):
    edited = INSIDE.astype(np.uint8).copy()
    edited[2:4, 5:8, 5:8], edited[10, 18:22, 16:20] = 1, 0
    found = session.refine(Mask(edited, GEOMETRY), original=MASK).mask().array
    assert found[2:4, 5:8, 5:8].all() and not found[10, 18:22, 16:20].any()


def test_a_volume_thinner_than_the_network_s_stride(session):
    thin = Image(IMAGE.array[:, 9:12], GEOMETRY.crop((slice(9, 12), slice(0, 40), slice(0, 36))))
    part = Mask(INSIDE[9:12].astype(np.uint8), thin.geometry)
    session.set_image(thin)
    found = session.refine(part, original=part)
    assert found.mask().geometry == thin.geometry and not found.mask().is_empty
    assert found.auxiliary["difference"].geometry.shape_kji == (5, 40, 36)
    session.set_image(IMAGE)


def test_words_alone_and_a_mask_over_all(session):
    with pytest.raises(PromptError, match="Words need a model with trained anomaly maps"):
        session.propose(Prompt(text="liver tumor"))
    everything = Mask(np.ones(GEOMETRY.shape_kji, np.uint8), GEOMETRY)
    found = session.refine(everything, original=everything)
    assert "no healthy tissue" in found.verdict.reason and found.mask().array.all()


def test_a_ct_is_refused_by_a_model_of_mr(session):
    scan = Image((IMAGE.array * 2.5 - 400).astype(np.int16), GEOMETRY)
    session.set_image(scan)
    with pytest.raises(InputError, match="trained on MR"):
        session.propose(Prompt(points=[click(scan, 10, 20, 18)]))
    session.set_image(IMAGE)


def test_what_it_has_to_do(session):
    work = session.workload(Prompt(points=[MIDDLE]))
    assert work.words == "one image, 2 samples of 2 steps"
    assert work.units == pytest.approx(min(40 * 36 * 30 / 64, 16**3) * 4)
    assert session.trial() == 16**3
