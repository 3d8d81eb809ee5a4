"""ADZUS through a session: repeatable, cancellable, faithful to what the user painted."""

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.adzus.tiny_model import (
    click,
    dice,
    ellipsoid,
    picture,
    tiny_session,
    write_models,
)

IMAGE, INSIDE = picture()
IN = click(IMAGE, 0, 32, 32)
GRID = Geometry((5, 32, 36), (1.0, 1.0, 2.0), (4.0, -7.0, 11.0))


def volume(seed=0):
    """A bright ellipsoid of known place in a volume of five slices."""
    middle = GRID.kji_to_ras([[2, 16, 18]])[0]
    inside = ellipsoid(GRID, tuple(middle), (9.0, 8.0, 3.9))
    noise = np.random.default_rng(seed).normal(0, 5, inside.shape)
    return Image((np.where(inside, 150, 50) + noise)[None].astype(np.float32), GRID), inside


VOLUME, BALL = volume()
DEEP = click(VOLUME, 2, 16, 18)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def use_models(models, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(models))


@pytest.fixture
def session():
    return tiny_session()


def same(first, second):
    return np.array_equal(first.probability.array, second.probability.array)


@pytest.mark.parametrize(
    ("image", "prompts"),
    [
        (IMAGE, [Prompt(points=[IN]), Prompt(), Prompt(boxes=[[-10, -10, 0, -55, -55, 0]])]),
        (VOLUME, [Prompt(points=[DEEP])]),
    ],
    ids=["picture", "volume"],
)
def test_the_same_prompt_gives_the_same_outline_to_the_bit(image, prompts):
    """Again in one session, after another prompt, and in a new session."""
    first, second = tiny_session(), tiny_session(seed=5)
    for session in (first, second):
        session.set_image(image)
    for prompt in prompts:
        found = first.propose(prompt)
        other = click(image, 0 if image.dimension == 2 else 2, 3, 3)
        first.propose(Prompt(points=[other]))
        assert same(first.propose(prompt), found)
        assert same(second.propose(prompt), found)


def test_what_made_the_outline_is_written_with_it(session, models, tmp_path):
    from DiffusionSegLib.backbones.store import file_sha256

    session.set_image(IMAGE)
    found = session.propose(Prompt(points=[IN]))
    found.mask().write(tmp_path / "out.seg.nrrd")
    said = Mask.read(tmp_path / "out.seg.nrrd").provenance
    assert said.weights_sha256 == file_sha256(models / "backbone" / "tiny" / "weights.safetensors")
    assert said.rule.startswith("clicks: ")
    assert (said.method, said.model, said.device) == ("adzus", "adzus/tiny", "cpu")
    assert said.parameters["backbone"] == "backbone/tiny"
    assert said.parameters["timestep"] == 100
    assert said.parameters["intensities"] == "as stored (0 to 255)"
    assert said.prompt["points"] == [[*IN.position_ras, "+"]]
    rules = {
        session.propose(prompt).provenance.rule
        for prompt in (Prompt(), Prompt(points=[IN]), Prompt(boxes=[[-10, -10, 0, -55, -55, 0]]))
    }
    assert len(rules) == 3, "every prompt has its rule"
    assert session.refine(found.mask()).provenance.rule.startswith("refine: ")


def test_granularity_leads_from_part_to_whole_without_another_pass(session, monkeypatch):
    from DiffusionSegLib.methods.adzus import embedding

    rows, columns = np.indices((96, 96))
    away = np.hypot(rows - 48, columns - 48)
    array = np.select([away < 12, away < 32], [220, 150], 50)
    array = (array + np.random.default_rng(0).integers(0, 6, array.shape)).astype(np.uint8)
    image = Image(array[None, None], Geometry((1, 96, 96)))
    session.set_image(image)
    passes = []
    real = embedding.make_plane
    monkeypatch.setattr(embedding, "make_plane", lambda *given: passes.append(1) or real(*given))
    sizes = []
    for granularity in (0.0, 0.5, 1.0):
        session.configure(parameters={"granularity": granularity})
        found = session.propose(Prompt(points=[click(image, 0, 48, 48)]))
        sizes.append(int(found.mask().array.sum()))
        assert found.alternatives
        assert all(0 <= one.score <= 1 for one in found.alternatives)
    assert sizes == sorted(sizes)
    assert 0 < sizes[0] < sizes[-1] < array.size
    assert passes == []


def test_words_are_answered_with_care(session):
    session.set_image(IMAGE)
    named = session.propose(Prompt(text="left kidney", points=[IN]))
    assert named.labels[0].name == "left kidney"
    assert "The text only names the result" in named.verdict.reason
    assert same(named, session.propose(Prompt(points=[IN])))


def test_nothing_in_the_picture_is_said(session):
    """Noise without an object: no outline is passed off as one."""
    array = np.random.default_rng(4).normal(100, 10, (1, 1, 64, 64)).astype(np.float32)
    session.set_image(Image(array, Geometry((1, 64, 64))))
    assert session.propose().verdict.state is not Verdict.FOUND


REGION = Box(IN.position_ras, (50.0, 50.0, 50.0))
HALF = Box(DEEP.position_ras, (22.0, 20.0, 30.0))


def test_a_region_limits_the_search(session):
    session.set_image(IMAGE)
    found = session.propose(Prompt(points=[IN], region=REGION))
    assert found.mask().geometry == IMAGE.geometry
    part = np.zeros(IMAGE.geometry.shape_kji, bool)
    part[REGION.slices_kji(IMAGE.geometry)] = True
    assert not found.mask().array[~part].any()
    assert dice(found.mask().array, INSIDE) > 0.95
    for candidate in found.alternatives:
        assert candidate.mask.geometry == IMAGE.geometry
        assert not candidate.mask.array[~part].any()


def scribbled(image, kind, *places):
    array = np.zeros(image.geometry.shape_kji, np.uint8)
    for place in places:
        array[place] = kind
    return Mask(array, image.geometry)


CASES = {
    "picture": (IMAGE, INSIDE, REGION, IN),
    "volume": (VOLUME, BALL, HALF, DEEP),
}


@pytest.mark.parametrize("name", CASES)
def test_refining_within_a_region_leaves_the_rest_alone(session, name):
    image, truth, region, _ = CASES[name]
    rng = np.random.default_rng(2)
    rough = truth ^ (rng.random(truth.shape) < 0.05)
    session.set_image(image)
    mask = Mask(rough.astype(np.uint8), image.geometry)
    found = session.refine(mask, Prompt(region=region), original=mask).mask().array
    part = np.zeros(image.geometry.shape_kji, bool)
    part[region.slices_kji(image.geometry)] = True
    assert np.array_equal(found[~part], mask.array[~part])
    assert dice(found[part], truth[part]) > dice(rough[part], truth[part])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("within", [False, True], ids=["everywhere", "in a region"])
def test_every_painted_and_erased_voxel_is_kept(session, name, within):
    """At every threshold, against all evidence, and beside points and strokes."""
    image, truth, region, point = CASES[name]
    session.set_image(image)
    before = Mask(truth.astype(np.uint8), image.geometry)
    rng = np.random.default_rng(7)
    touched = rng.random(truth.shape) < 0.03
    edited = before.array.copy()
    edited[touched] = rng.integers(0, 2, int(touched.sum()))
    stroke = scribbled(image, 2, np.s_[truth.shape[0] // 2, 14:18, 14:16])
    prompt = Prompt(points=[point], scribbles=stroke, region=region if within else None)
    found = session.refine(Mask(edited, image.geometry), prompt, original=before)
    user = (edited != before.array) & (stroke.array == 0)
    assert user.sum() > 20
    for threshold in (0.05, 0.5, 0.95):
        mask = found.mask(threshold).array
        assert np.array_equal(mask[user], edited[user])
        assert not mask[stroke.array == 2].any()
        place = tuple(np.rint(image.geometry.ras_to_kji([point.position_ras])[0]).astype(int))
        assert mask[place] == 1


def test_refining_without_edits_is_no_worse(session):
    session.set_image(IMAGE)
    mask = Mask(INSIDE.astype(np.uint8), IMAGE.geometry)
    assert dice(session.refine(mask, original=mask).mask().array, INSIDE) > 0.98


class Stopping:
    """Counts the looks at it, and says stop from the n-th on."""

    def __init__(self, moment):
        self.left, self.looks = moment, 0

    def __call__(self):
        self.looks += 1
        return self.looks > self.left


def jobs(session, image, point):
    mask = Mask(np.asarray(image.array[0] > 100, np.uint8), image.geometry)
    return {
        "embed": lambda progress: session.set_image(image, progress=progress),
        "propose": lambda progress: session.propose(Prompt(points=[point]), progress),
        "look": lambda progress: session.propose(Prompt(), progress),
        "refine": lambda progress: session.refine(mask, Prompt(), progress, mask),
    }


@pytest.mark.parametrize(
    ("name", "job", "least"),
    [("picture", "embed", 4), ("picture", "look", 4), ("picture", "refine", 1),
     ("volume", "propose", 8), ("volume", "refine", 4)],
)  # fmt: skip
def test_cancelled_at_every_moment_and_as_good_as_before(session, name, job, least):
    """A cancelled job leaves nothing behind that another outline would come of."""
    image, _, _, point = CASES[name]
    expected_session = tiny_session()
    expected_session.set_image(image)
    expected = jobs(expected_session, image, point)[job](Progress.silent())
    if job != "embed":
        session.set_image(image)
    for moment in range(200):
        last = session._last
        try:
            jobs(session, image, point)[job](Progress(cancelled=Stopping(moment)))
        except Cancelled:
            assert session._last is last
            assert session.is_image_set == (job != "embed")
        else:  # slices that were seen before it was cancelled are not looked at again
            break
    assert least <= moment < 199
    found = jobs(session, image, point)[job](Progress.silent())
    if job == "embed":
        expected = expected_session.propose(Prompt(points=[point]))
        found = session.propose(Prompt(points=[point]))
    assert same(found, expected)


@pytest.mark.parametrize("name", CASES)
def test_progress_grows_to_one(session, name):
    image, _, _, point = CASES[name]
    fractions = []
    listen = lambda report: fractions.append(report.fraction)  # noqa: E731
    session.set_image(image, progress=Progress(listen))
    for prompt in (Prompt(points=[point]), Prompt(points=[point], region=CASES[name][2])):
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
        fractions.clear()
        session.propose(prompt, Progress(listen))
