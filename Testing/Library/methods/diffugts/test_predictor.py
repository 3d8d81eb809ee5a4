"""Words, marks and outlines to refine, with the bundled diffusion model: what is answered, and that
it is the same each time. The trained parts are random or by hand; how good they are when trained is
measured elsewhere."""

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled, PromptError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.diffugts.toys import (
    click,
    dice,
    head,
    toy_session,
    write_models,
)

IMAGE, LESION = head(72, 80)
WORDS = Prompt(text="brain tumor")
HERE = Prompt(points=[click(IMAGE, 0, 29, 50)])


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def shared(models):
    found = {name: toy_session(models, name) for name in ("trained", "plain")}
    for session in found.values():
        session.set_image(IMAGE)
    return found


@pytest.fixture
def trained(shared):
    shared["trained"].configure()
    shared["trained"].set_image(IMAGE)
    return shared["trained"]


@pytest.fixture
def plain(shared):
    shared["plain"].configure()
    shared["plain"].set_image(IMAGE)
    return shared["plain"]


def same(first, second):
    assert np.array_equal(first.probability.array, second.probability.array)
    assert first.verdict == second.verdict
    assert first.auxiliary.keys() == second.auxiliary.keys()
    for name, image in first.auxiliary.items():
        assert np.array_equal(image.array, second.auxiliary[name].array), name
    return True


def test_words_find_what_stands_out(trained):
    found = trained.propose(WORDS)
    assert found.verdict.state is not Verdict.NOT_FOUND
    assert dice(found.mask().array, LESION) > 0.6
    assert found.mask().geometry == IMAGE.geometry
    assert found.labels[0].name == "brain tumor"
    assert found.provenance.rule.startswith("words")


@pytest.mark.parametrize("name", ["trained", "plain"])
@pytest.mark.parametrize("kind", ["click", "stroke", "box"])
def test_marks_say_where(shared, name, kind):
    session = shared[name]
    session.configure()
    session.set_image(IMAGE)
    strokes = np.zeros(LESION.shape, np.uint8)
    strokes[0, 27:32, 47:53] = 1
    corners = IMAGE.geometry.kji_to_ras([[0, 20, 41], [0, 37, 58]])
    prompts = {
        "click": HERE,
        "stroke": Prompt(scribbles=Mask(strokes, IMAGE.geometry)),
        "box": Prompt(boxes=[Box.from_corners(*corners)]),
    }
    found = session.propose(prompts[kind])
    assert found.verdict.state is Verdict.FOUND and found.verdict.reason.startswith("The user mark")
    assert found.provenance.rule.startswith("marks")
    if name == "plain":
        assert dice(found.mask().array, LESION) > 0.6
    if kind == "stroke":
        assert found.mask().array[strokes == 1].all()


def test_an_outline_is_refined(plain):
    rough = np.zeros(LESION.shape, np.uint8)
    rough[0, 18:40, 38:62] = 1  # far too large
    found = plain.refine(Mask(rough, IMAGE.geometry))
    assert found.provenance.rule.startswith("refine")
    assert found.verdict.state is Verdict.FOUND
    assert not found.mask().is_empty
    assert {"pseudo-healthy", "difference"} <= set(found.auxiliary)


def test_words_need_trained_maps_and_marks_do_not(plain):
    with pytest.raises(PromptError, match=r"Words need .* diffugts/plain has none.*stroke"):
        plain.propose(WORDS)
    with pytest.raises(PromptError):
        plain.propose(Prompt(points=[click(IMAGE, 0, 5, 5, include=False)]))
    assert not plain.propose(Prompt(text="brain tumor", points=HERE.points)).mask().is_empty


@pytest.mark.parametrize("text", ["脑肿瘤", "Hirngeschwulst", "good morning"])
def test_words_that_are_not_understood_are_at_most_uncertain(trained, text):
    assert trained.propose(Prompt(text=text)).verdict.state is not Verdict.FOUND


def test_the_same_seed_draws_the_same(models, trained):
    first = trained.propose(WORDS)
    assert same(trained.propose(WORDS), first)
    again = toy_session(models, "trained")
    again.set_image(IMAGE)
    assert same(again.propose(WORDS), first)
    trained.configure(seed=1)
    other = trained.propose(WORDS)
    assert not np.array_equal(
        other.auxiliary["pseudo-healthy"].array, first.auxiliary["pseudo-healthy"].array
    )
    assert np.array_equal(
        other.auxiliary["anomaly map"].array, first.auxiliary["anomaly map"].array
    )
    trained.configure()
    assert same(trained.propose(WORDS), first)


def test_more_samples_keep_the_first_ones(plain):
    """The pseudo-healthy image is their mean: three times that of three less twice that of two."""
    drawn = []
    for samples in (1, 2, 3):
        plain.configure(samples=samples)
        drawn.append(plain.propose(HERE).auxiliary["pseudo-healthy"].array.astype(np.float64))
    second, third = 2 * drawn[1] - drawn[0], 3 * drawn[2] - 2 * drawn[1]
    assert np.abs(drawn[0] - second).max() > 1 and np.abs(third - second).max() > 1
    for one in (second, third):
        assert one.min() > -0.01 and one.max() < 255.01
    plain.configure(samples=2)
    assert plain.propose(HERE).uncertainty.array.max() > 0
    plain.configure(samples=1)
    assert plain.propose(HERE).uncertainty.array.max() == 0


def test_what_was_painted_erased_and_stroked_is_exact(plain):
    rough = np.zeros(LESION.shape, np.uint8)
    rough[LESION] = 1
    original = Mask(rough.copy(), IMAGE.geometry)
    rough[0, 2:5, 2:70:7] = 1  # painted in the air
    rough[0, 27:31, 48:50] = 0  # erased in the middle of the lesion
    strokes = np.zeros(LESION.shape, np.uint8)
    strokes[0, 60, 10:40] = 1
    strokes[0, 26, 46:54] = 2
    prompt = Prompt(scribbles=Mask(strokes, IMAGE.geometry))
    found = plain.refine(Mask(rough, IMAGE.geometry), prompt, original=original)
    for threshold in (0.05, 0.5, 1.0):
        mask = found.mask(threshold).array
        assert mask[0, 2:5, 2:70:7].all() and not mask[0, 27:31, 48:50].any()
        assert mask[strokes == 1].all() and not mask[strokes == 2].any()


def test_strokes_and_clicks_are_exact_in_a_proposal(plain):
    strokes = np.zeros(LESION.shape, np.uint8)
    strokes[0, 29, 40:62] = 1
    strokes[0, 36, 40:62] = 2
    points = [click(IMAGE, 0, 60, 30), click(IMAGE, 0, 24, 50, include=False)]
    mask = plain.propose(Prompt(scribbles=Mask(strokes, IMAGE.geometry), points=points)).mask()
    assert mask.array[strokes == 1].all() and not mask.array[strokes == 2].any()
    assert mask.array[0, 60, 30] and not mask.array[0, 24, 50]


def region_of(image, first, last):
    return Box.from_corners(*image.geometry.kji_to_ras([first, last]))


def test_only_the_region_is_read_and_nothing_outside_changes(trained):
    region = region_of(IMAGE, (0, 12, 30), (0, 50, 70))
    inside = np.zeros(LESION.shape, bool)
    inside[0, 12:51, 30:71] = True
    changed = IMAGE.array.copy()
    changed[0][~inside] = np.random.default_rng(0).integers(0, 255, int((~inside).sum()))
    found = []
    for array in (IMAGE.array, changed):
        trained.set_image(Image(array, IMAGE.geometry), region)
        found.append([trained.propose(WORDS), trained.propose(HERE)])
        rough = np.zeros(LESION.shape, np.uint8)
        rough[0, 20:38, 42:58] = 1
        rough[0, 60:66, 5:20] = 1  # another object, outside
        refined = trained.refine(Mask(rough, IMAGE.geometry), original=Mask(rough, IMAGE.geometry))
        found[-1].append(refined)
        assert np.array_equal(refined.mask().array[~inside], rough[~inside])
    for one, other in zip(*found, strict=True):
        assert same(one, other)
        assert one.mask().geometry == IMAGE.geometry
    for one in found[0][:2]:
        assert not one.mask(0.01).array[~inside].any()
        for image in one.auxiliary.values():
            found_mm = np.array(image.geometry.extent_ras_mm())[:, :2]
            np.testing.assert_allclose(found_mm, [[-70.5, -50.5], [-29.5, -11.5]], atol=1.0)


def test_a_mask_outside_the_region_stays_and_nothing_is_added(plain):
    region = region_of(IMAGE, (0, 12, 30), (0, 50, 70))
    rough = np.zeros(LESION.shape, np.uint8)
    rough[0, 60:66, 5:20] = 1
    plain.set_image(IMAGE, region)
    mask = Mask(rough, IMAGE.geometry)
    assert np.array_equal(plain.refine(mask, original=mask).mask().array, rough)


def test_images_that_explain_the_result(trained):
    found = trained.propose(HERE)
    assert set(found.auxiliary) == {"anomaly map", "pseudo-healthy", "difference"}
    grid = found.auxiliary["difference"].geometry
    assert {image.geometry for image in found.auxiliary.values()} == {grid}
    assert grid.shape_kji == (1, 58, 64) and grid.spacing_mm[0] == pytest.approx(80 / 64)
    low, high = IMAGE.geometry.extent_ras_mm()
    other_low, other_high = grid.extent_ras_mm()
    np.testing.assert_allclose([low[0], high[0]], [other_low[0], other_high[0]], atol=1e-6)
    unit = found.auxiliary["anomaly map"].array
    assert 0 <= unit.min() < unit.max() <= 1
    healthy, difference = (found.auxiliary[n].array for n in ("pseudo-healthy", "difference"))
    shown = IMAGE.resampled(grid).array.astype(np.float32)
    # The picture is what healthy and difference add up to, in its own units.
    assert np.abs(healthy + difference - shown).mean() < 2
    assert healthy.min() >= 0 and healthy.max() <= 255
    # Where nothing was drawn anew there is no difference.
    assert not difference[0, 0, 50:, :20].any() and np.abs(difference).max() > 5
    assert found.uncertainty.geometry == IMAGE.geometry


def test_where_it_came_from(models, trained):
    found = trained.propose(WORDS).provenance
    entry = trained.model
    assert (found.method, found.model, found.licence) == ("diffugts", entry.id, "CC0-1.0")
    assert found.weights_sha256 == entry.files[0].sha256
    assert found.prompt == {"text": "brain tumor"} and found.device == "cpu" and found.seed == 0
    assert {"DiffusionSeg", "torch", "python"} <= set(found.versions)
    parameters = found.parameters
    assert parameters["backbone"] == "backbone/compact" and len(parameters["backbone_sha256"]) == 64
    assert parameters["intensities"] == "as stored (0 to 255)"
    assert (parameters["steps"], parameters["seeds"]) == (2, 2)
    assert found.from_json(found.to_json()) == found


@pytest.mark.parametrize("name", ["trained", "plain"])
@pytest.mark.parametrize("evidence", ["map", "coarse", "pixel", "all"])
def test_it_goes_as_far_as_is_asked(shared, name, evidence):
    session = shared[name]
    session.set_image(IMAGE)
    session.configure(parameters={"evidence": evidence})
    found = session.propose(HERE)
    assert ("pseudo-healthy" in found.auxiliary) == (evidence in ("pixel", "all"))
    assert ("anomaly map" in found.auxiliary) == (name == "trained")
    if name == "plain":
        assert dice(found.mask().array, LESION) > 0.5


def test_a_preview_is_an_image_on_the_grid(plain):
    shown = []

    def listen(report):
        if report.preview is not None:
            shown.append(report.preview())

    plain.propose(HERE, Progress(listener=listen), preview=True)
    assert len(shown) >= 2
    for image in shown:
        assert isinstance(image, Image) and image.array.shape == (1, 1, 58, 64)
        assert image.array.min() >= 0 and image.array.max() <= 1 and image.array.any()
    silent = []
    plain.propose(HERE, Progress(listener=silent.append))
    assert all(report.preview is None for report in silent)


def test_a_preview_changes_nothing(plain):
    first = plain.propose(HERE)
    second = plain.propose(
        HERE, Progress(listener=lambda r: r.preview and r.preview()), preview=True
    )
    assert same(first, second)


def refined(session, progress=None):
    mask = Mask(LESION.astype(np.uint8), IMAGE.geometry)
    return session.refine(mask, progress=progress, original=mask)


ACTIONS = {
    "words": lambda session, progress=None: session.propose(WORDS, progress),
    "marks": lambda session, progress=None: session.propose(HERE, progress),
    "refine": refined,
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_a_run_stopped_anywhere_leaves_nothing_behind(models, trained, action):
    told = []
    wanted = action(trained, Progress(listener=told.append))
    fractions = [report.fraction for report in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(told) >= 5
    session = toy_session(models, "trained")
    session._predictor = trained._predictor
    session.set_image(IMAGE)
    for stop in range(len(told)):
        left = [stop]

        def cancelled(left=left):
            left[0] -= 1
            return left[0] < 0

        with pytest.raises(Cancelled):
            action(session, Progress(cancelled=cancelled))
    assert same(action(session), wanted)


def test_an_image_stopped_while_it_is_read_is_not_set(models, trained):
    session = toy_session(models, "trained")
    session._predictor = trained._predictor
    told = []
    session.set_image(IMAGE, progress=Progress(listener=told.append))
    for stop in range(len(told)):
        session = toy_session(models, "trained")
        session._predictor = trained._predictor
        left = [stop]

        def cancelled(left=left):
            left[0] -= 1
            return left[0] < 0

        with pytest.raises(Cancelled):
            session.set_image(IMAGE, progress=Progress(cancelled=cancelled))
        assert not session.is_image_set


def test_what_a_run_has_to_do(trained):
    few, many = (trained.workload(prompt) for prompt in (HERE, WORDS))
    assert 0 < few.units < many.units and few.words == "one image, 2 samples of 2 steps"
    trained.configure(samples=4, parameters={"steps": 10})
    assert trained.workload(HERE).units == pytest.approx(10 * few.units)
    assert trained.workload(HERE).memory_bytes == few.memory_bytes == 58 * 64 * 24
    assert trained.trial() == 16**2


def test_modality_by_choice_is_said(trained):
    trained.configure(parameters={"modality": "ct"})
    ct = trained.propose(WORDS)
    assert ct.provenance.parameters["modality"] == "ct"
    scan = Image(IMAGE.array.astype(np.int16) * 4 + 24, IMAGE.geometry)
    trained.set_image(scan)
    assert "not in Hounsfield units" in trained.propose(WORDS).verdict.reason
    trained.configure()
    assert "Hounsfield" not in trained.propose(WORDS).verdict.reason
