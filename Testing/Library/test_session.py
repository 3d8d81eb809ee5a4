import numpy as np
import pytest

from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import (
    Cancelled,
    DeviceError,
    InputError,
    ModelError,
    PromptError,
    UnknownNameError,
)
from DiffusionSegLib.methods.cdal.first_outline import FirstOutline
from DiffusionSegLib.methods.cdal.predictor import CdalPredictor
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.session import Session
from Testing.Library.toy_model import VOLUME as VOLUME_GRID
from Testing.Library.toy_model import smooth_image, toy_session, write_toy

PICTURE = Geometry((1, 24, 20))
VOLUME = Geometry((10, 20, 18), (1.0, 1.0, 1.5), (5.0, -8.0, 20.0))
PAIR = Geometry((8, 16, 24), (1.0, 1.0, 1.0), (5.0, -8.0, 20.0))  # two windows of the tiled model
EVERY = np.ones(VOLUME.shape_kji, np.uint8)
CORNER = Box.of([-18, -8, 20, -15, -4, 24])


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name in ("gray", "volume", "pair"):
        write_toy(folder, name)
    return folder


@pytest.fixture(scope="module")
def tiled(tmp_path_factory):
    """The volume model without the right to take a small image in one piece."""
    folder = tmp_path_factory.mktemp("tiled")
    write_toy(folder, "volume", grid={**VOLUME_GRID, "largest_kji": None})
    return folder


@pytest.fixture
def embedded(monkeypatch):
    """The regions of the images that the predictor was asked to prepare."""
    calls, real = [], CdalPredictor.embed

    def embed(self, image, region, progress):
        calls.append(region)
        return real(self, image, region, progress)

    monkeypatch.setattr(CdalPredictor, "embed", embed)
    return calls


def answer(session, prompt=None):
    return session.propose(prompt).probability.array


def test_the_same_image_again_does_no_work(models, embedded):
    session = toy_session(models, "gray")
    session.set_image(smooth_image(PICTURE))
    session.set_image(smooth_image(PICTURE))  # equal, not the same object
    assert len(embedded) == 1
    session.set_image(smooth_image(PICTURE, seed=1))
    assert len(embedded) == 2
    session.set_image(smooth_image(PICTURE))  # one before the last is kept too
    assert len(embedded) == 2


@pytest.mark.parametrize("what", ["voxel", "origin", "type", "names", "region"])
def test_whatever_differs_is_prepared_anew(models, embedded, what):
    first = smooth_image(VOLUME, ("CT", "MR"))
    session = toy_session(models, "pair")
    session.set_image(first)
    array, geometry, names, region = first.array.copy(), VOLUME, ("CT", "MR"), None
    if what == "voxel":
        array[0, -1, -1, -1] += 1
    elif what == "origin":
        geometry = Geometry(VOLUME.shape_kji, VOLUME.spacing_mm, (5.0, -8.0, 20.1))
    elif what == "type":
        array = array.astype(np.int32)
    elif what == "names":
        names = ("MR", "CT")
    else:
        region = Box.of([0, 0, 22, -15, 0, 32])
    session.set_image(Image(array, geometry, names), region)
    assert len(embedded) == 2


def test_another_image_gives_another_answer_and_the_first_one_comes_back(models):
    session = toy_session(models, "gray")
    session.set_image(smooth_image(PICTURE))
    first = answer(session)
    session.set_image(smooth_image(PICTURE, seed=1))
    assert not np.array_equal(answer(session), first)
    session.set_image(smooth_image(PICTURE))
    assert np.array_equal(answer(session), first)


def test_the_same_seed_is_the_same_to_the_bit_and_another_differs(models):
    answers = []
    for seed in (3, 3, 4):
        session = toy_session(models, "volume", seed=seed)
        session.set_image(smooth_image(VOLUME))
        answers += [answer(session), answer(session)]
    assert all(np.array_equal(answers[0], other) for other in answers[1:4])
    assert np.array_equal(answers[4], answers[5])
    assert not np.array_equal(answers[0], answers[4])


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_voxels_that_are_no_numbers_are_refused_wherever_the_image_comes_from(models, value):
    """A network makes NaN of all that it sees then, which would count as: nothing is there."""
    session = toy_session(models, "volume")
    good = smooth_image(VOLUME)
    array = good.array.astype(np.float32)
    array[0, 4, 3, 2] = value
    with pytest.raises(InputError, match=r"^The image has "):
        session.set_image(Image.from_array(array[0], VOLUME))
    assert not session.is_image_set


def test_other_things_than_images_and_prompts_are_refused(models):
    session = toy_session(models, "gray")
    for thing in (None, "scan.nii.gz", np.ones((24, 20))):
        with pytest.raises(InputError, match=f"not {type(thing).__name__}; make one with Image"):
            session.set_image(thing)
    session.set_image(smooth_image(PICTURE))
    with pytest.raises(PromptError, match="A Prompt is needed, not 'the nucleus'"):
        session.propose("the nucleus")


def test_nothing_works_before_an_image_is_set(models):
    session = toy_session(models, "gray")
    assert not session.is_image_set
    with pytest.raises(InputError, match=r"call set_image\(image\) before propose"):
        session.propose()
    with pytest.raises(InputError, match="before refine"):
        session.refine(Mask.from_array(np.ones((24, 20))))
    session.set_image(smooth_image(PICTURE))
    assert session.is_image_set


@pytest.mark.parametrize(
    "value", [-1, 2**31, 1.5, 2.0, "3", None, True, float("nan"), float("inf")]
)
def test_a_seed_is_a_whole_number(models, value):
    with pytest.raises(InputError, match="seed must be a whole number from 0 to 2147483647, not"):
        toy_session(models, "gray", seed=value)


@pytest.mark.parametrize("value", [0, -1, 1001, 1.5, "5", False])
def test_samples_are_a_whole_number(models, value):
    with pytest.raises(InputError, match="samples must be a whole number from 1 to 1000, not"):
        toy_session(models, "gray", samples=value)
    assert toy_session(models, "gray", samples=np.int64(2)) is not None


def test_the_number_of_samples_is_obeyed(models):
    for samples, drawn in ((None, 3), (1, 1), (7, 7)):
        session = toy_session(
            models, "gray", samples=samples, parameters={"tolerance": 0.0, "precision": "float32"}
        )
        session.set_image(smooth_image(PICTURE))
        assert session.propose().provenance.parameters["samples"] == drawn


def test_wrong_names_suggest_the_nearest(models):
    store = ModelStore([models])
    with pytest.raises(UnknownNameError, match=r"'cdl'\. Did you mean 'cdal'"):
        Session("cdl", store=store)
    with pytest.raises(UnknownNameError, match=r"'volum'\. Did you mean 'volume'"):
        Session("cdal", "volum", store=store)
    with pytest.raises(UnknownNameError, match=r"'tolerence'\. Did you mean 'tolerance'"):
        Session("cdal", "gray", store=store, parameters={"tolerence": 1})
    with pytest.raises(InputError, match="tolerance takes a number from 0 to 1, not 'much'"):
        Session("cdal", "gray", store=store, parameters={"tolerance": "much"})
    with pytest.raises(DeviceError, match="'tpu'"):
        Session("cdal", "gray", "tpu", store=store)
    assert Session("CDAL", "Gray", "cpu", store=store).model.id == "cdal/gray"


def test_broken_weights_are_told_when_the_image_is_set(tmp_path):
    entry = write_toy(tmp_path, "gray")
    (entry.folder / "weights.safetensors").unlink()
    session = toy_session(tmp_path, "gray")
    with pytest.raises(ModelError, match="missing"):
        session.set_image(smooth_image(PICTURE))


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        (Prompt(points=[(100, 0, 0)]), r"point \(100\.0.*spans R -22\.5 to -4\.5"),
        (Prompt(boxes=[[100, 100, 0, 120, 120, 5]]), "box around .* lies outside the image"),
        (Prompt(region=Box.of([100, 100, 0, 120, 120, 5])), "box around .* lies outside"),
        (Prompt(text="hippocampus"), "cdal does not take text; it takes boxes, points"),
        (
            Prompt(points=[(-10, 5, 26)], region=CORNER),
            r"point \(-10.0, 5.0, 26.0\) mm RAS lies outside the region that is looked at; move",
        ),
        (
            Prompt(boxes=[[-12, 4, 24, -8, 6, 28]], region=CORNER),
            r"box around \(-10.0, 5.0, 26.0\) mm RAS lies outside the region",
        ),
        (
            Prompt(points=[(-10, 5, 26), (-10.1, 5, 26, "-")]),
            r"points at \(-10.1, 5.0, 26.0\) mm RAS both include and exclude one voxel; remove one",
        ),
    ],
)
def test_prompts_that_cannot_be_used(models, prompt, word):
    session = toy_session(models, "volume")
    session.set_image(smooth_image(VOLUME))
    with pytest.raises(PromptError, match=word):
        session.propose(prompt)
    with pytest.raises(PromptError, match=word):
        session.refine(Mask(EVERY, VOLUME), prompt)


def test_marks_must_lie_in_the_region_of_the_image_unless_the_prompt_has_one(models):
    session = toy_session(models, "volume")
    session.set_image(smooth_image(VOLUME), CORNER)
    for ask in (session.propose, session.plan, session.workload):
        with pytest.raises(PromptError, match="outside the region that is looked at"):
            ask(Prompt(points=[(-10, 5, 26)]))
    wide = Box.of([-22, -8, 20, -5, 11, 34])
    assert session.propose(Prompt(points=[(-10, 5, 26)], region=wide)).mask().array.any()


def test_a_region_in_the_prompt_is_as_one_with_the_image_and_for_one_call_only(models, embedded):
    region = Box.of([-8, 4, 20, -18, 12, 34])
    session = toy_session(models, "volume")
    session.set_image(smooth_image(VOLUME))
    whole = answer(session)
    within = answer(session, Prompt(region=region))
    assert np.array_equal(answer(session), whole)
    assert np.array_equal(answer(session, Prompt(region=region)), within)
    assert embedded == [None, region]
    session.set_image(smooth_image(VOLUME), region)
    assert np.array_equal(answer(session), within)
    assert not np.array_equal(whole, within)


def actions(session, image):
    """Everything a session does, each as a call with a progress."""
    prompt = Prompt(points=[tuple(PAIR.kji_to_ras([5, 9, 9])[0])])
    mask = Mask(np.indices(PAIR.shape_kji).sum(0) > 20, PAIR)
    return {
        "set_image": lambda progress: session.set_image(image, progress=progress),
        "propose": lambda progress: session.propose(prompt, progress),
        "refine": lambda progress: session.refine(mask, prompt, progress),
    }


@pytest.mark.parametrize("name", ["set_image", "propose", "refine"])
def test_cancelled_at_any_moment_and_as_good_as_before(tiled, name):
    image, other = smooth_image(PAIR), smooth_image(PAIR, seed=1)
    session = toy_session(tiled, "volume", samples=1)
    session.set_image(other)
    if name != "set_image":
        session.set_image(image)
    action = actions(session, image)[name]
    unharmed = answer(session)
    last = session._last
    for moment in range(200):
        calls = iter(range(moment + 1))
        session._predictor._first = FirstOutline()  # so that both ensembles are cancelled
        try:
            action(Progress(cancelled=lambda calls=calls: next(calls, None) is None))
        except Cancelled:
            assert session._last is last
            assert np.array_equal(answer(session), unharmed)
            session._last = last
        else:
            break
    assert moment >= {"set_image": 3, "propose": 10, "refine": 4}[name]
    assert moment < 199
    if name == "set_image":
        fresh = toy_session(tiled, "volume", samples=1)
        fresh.set_image(image)
        assert np.array_equal(answer(session), answer(fresh))


def test_a_failed_image_leaves_the_one_before(models):
    session = toy_session(models, "volume")
    session.set_image(smooth_image(VOLUME))
    before = answer(session)
    with pytest.raises(InputError, match="colour"):
        session.set_image(smooth_image(VOLUME, ("red", "green", "blue")))
    assert np.array_equal(answer(session), before)


@pytest.mark.parametrize("name", ["set_image", "propose", "refine"])
def test_progress_grows_to_one_without_standing_still_at_it(tiled, name):
    session = toy_session(tiled, "volume", samples=2)
    image = smooth_image(PAIR)
    if name != "set_image":
        session.set_image(image)
    fractions = []
    actions(session, image)[name](Progress(lambda report: fractions.append(report.fraction)))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert sum(fraction < 0.75 for fraction in fractions) >= 2
    assert sum(fraction == 1.0 for fraction in fractions) <= 3


def test_previews_come_when_asked_for(models):
    session = toy_session(models, "volume", samples=2)
    session.set_image(smooth_image(VOLUME))
    for wanted in (False, True):
        shown = []
        listen = lambda report, shown=shown: shown.append(report.preview and report.preview())  # noqa: E731
        proposal = session.propose(progress=Progress(listen), preview=wanted)
        session.refine(proposal.mask(), progress=Progress(listen), preview=wanted)
        estimates = [estimate for estimate in shown if estimate is not None]
        assert bool(estimates) is wanted
        assert all(0 <= e.array.min() <= e.array.max() <= 1 for e in estimates)
        assert all(e.geometry == proposal.evidence.geometry for e in estimates)


def test_previews_of_slices_keep_what_is_done(models):
    session = toy_session(models, "gray", samples=2)
    image = smooth_image(Geometry((3, 24, 20)))
    session.set_image(image)
    shown = []
    listen = lambda report: shown.append(report.preview and report.preview())  # noqa: E731
    found = session.propose(progress=Progress(listen), preview=True)
    estimates = [estimate.array for estimate in shown if estimate is not None]
    assert {e.shape for e in estimates} == {(1, 3, 24, 20)}
    assert [int((e.max(axis=(0, 2, 3)) > 0).sum()) for e in estimates] == [1] * 4 + [2] * 4 + [
        3
    ] * 4
    assert np.array_equal(estimates[-1], found.evidence.array)


@pytest.mark.parametrize(("name", "shape"), [("gray", (2, 40, 20)), ("volume", (10, 20, 18))])
def test_the_workload_is_what_is_done(tiled, models, name, shape):
    folder = tiled if name == "volume" else models
    session = toy_session(folder, name, samples=2, parameters={"tolerance": 0.0})
    session.set_image(smooth_image(Geometry(shape)))
    session.propose()
    steps, windows = [], []
    network = session._predictor._network
    network.stem.register_forward_hook(lambda _m, given, _o: steps.append(given[0].numel()))
    network.condition.register_forward_hook(lambda _m, given, _o: windows.append(given[0].numel()))
    session._predictor._first = FirstOutline()  # as if it had not been drawn before
    load = session.workload()
    session.propose()
    assert load.units == sum(steps) + sum(windows)
    assert load.words == f"{len(windows)} windows, up to 2 samples"
    assert load.memory_bytes > 4 * np.prod(shape)
    marked = Prompt(points=[session._chosen.image.geometry.kji_to_ras([[1, 8, 8]])[0]])
    assert load.exact and not session.workload(marked).exact
    assert session.workload().units == 0, "it is drawn already"
    assert session.workload(marked).units == load.units
    session._predictor._first = FirstOutline()
    assert session.workload(marked).units == 2 * load.units
    steps.clear()
    windows.clear()
    assert session.trial() == sum(steps) + sum(windows)
    assert len(steps) == len(windows) == 1


def test_stopping_here_gives_fewer_samples_and_says_so(models):
    session = toy_session(models, "gray", samples=5, parameters={"tolerance": 0.0})
    session.set_image(smooth_image(Geometry((3, 24, 20))))
    reports = []
    progress = Progress(reports.append, accept=lambda: len(reports) >= 8)
    found = session.propose(progress=progress)
    assert found.provenance.parameters["stopped_early"] is True
    assert found.provenance.parameters["samples"] == 5
    assert found.provenance.parameters["fewest_samples"] == 1
    assert found.verdict.reason.endswith("Stopped early, after 1 to 5 of 5 samples.")
    whole = session.propose()
    assert "stopped_early" not in whole.provenance.parameters
    assert "Stopped" not in whole.verdict.reason


def test_configuring_costs_no_embedding_and_a_mistake_changes_nothing(models, embedded):
    session = toy_session(models, "gray")
    session.set_image(smooth_image(PICTURE))
    session.configure(seed=4, samples=2, parameters={"precision": "float32", "tolerance": 0.0})
    found = session.propose()
    assert (found.provenance.seed, found.provenance.parameters["samples"]) == (4, 2)
    other = toy_session(
        models, "gray", seed=4, samples=2, parameters={"precision": "float32", "tolerance": 0.0}
    )
    other.set_image(smooth_image(PICTURE))
    assert np.array_equal(found.probability.array, answer(other))
    assert len(embedded) == 2
    for wrong in ({"seed": -1}, {"samples": 0}, {"parameters": {"tolerance": 7}}):
        with pytest.raises(InputError):
            session.configure(**wrong)
    assert np.array_equal(found.probability.array, answer(session))


def test_refine_takes_the_last_outline_for_what_was_there_before(models):
    session = toy_session(models, "volume")
    session.set_image(smooth_image(VOLUME))
    before = session.propose().mask()
    edited = before.array.copy()
    edited[2:6, 3:9, 4:8] ^= 1
    changed = edited != before.array
    session.set_image(smooth_image(VOLUME))  # again: nothing is forgotten
    implied = session.refine(Mask(edited, VOLUME)).mask()
    given = session.refine(Mask(edited, VOLUME), original=before).mask()
    assert np.array_equal(implied.array[changed], edited[changed])
    assert np.array_equal(implied.array, given.array)
    session.set_image(smooth_image(VOLUME, seed=1))
    session.set_image(smooth_image(VOLUME))
    forgotten = session.refine(Mask(edited, VOLUME)).mask()
    assert not np.array_equal(forgotten.array[changed], edited[changed])


def test_an_edited_mask_on_another_grid_is_brought_over(models):
    session = toy_session(models, "volume")
    session.set_image(smooth_image(VOLUME))
    before = session.propose().mask()
    part = (slice(2, 8), slice(4, 15), slice(3, 16))
    edited = before.crop(part)
    edited = Mask(1 - edited.array, edited.geometry)
    result = session.refine(edited, original=before).mask()
    assert np.array_equal(result.array[part], edited.array)
    away = Geometry(VOLUME.shape_kji, origin_lps=(900.0, 0.0, 0.0))
    with pytest.raises(InputError, match="lies outside the image"):
        session.refine(Mask(EVERY, away))
