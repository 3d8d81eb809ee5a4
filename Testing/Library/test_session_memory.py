"""A session that runs out of memory: at every step of a run, with every kind of run."""

from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.backbones.costs import Costs
from DiffusionSegLib.errors import Cancelled, OutOfMemoryError
from DiffusionSegLib.methods.cdal import predictor as predictor_module
from DiffusionSegLib.methods.cdal.ensemble import draw_ensemble
from DiffusionSegLib.methods.cdal.predictor import CdalPredictor
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.planning.telling import adjusted_sentence
from DiffusionSegLib.progress import Progress
from Testing.Library.toy_model import smooth_image, toy_session, write_toy

GRID = Geometry((14, 30, 28), (1.0, 1.0, 1.0), (5.0, -8.0, 20.0))
IMAGE = smooth_image(GRID)
CLICK = Prompt(points=[tuple(GRID.kji_to_ras([[7, 15, 14]])[0])])
PLAIN = {"precision": "float32", "tolerance": 0.0}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_toy(folder, "volume")
    return folder


def session(models, **options):
    return toy_session(models, "volume", samples=2, parameters=PLAIN, **options)


class Allocator:
    """Fails at one allocation, or at all from one on."""

    def __init__(self, at, always=False):
        self.at, self.always, self.count = at, always, 0

    def allocate(self):
        self.count += 1
        if self.count == self.at or (self.always and self.count >= self.at):
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")


def watch(monkeypatch, allocator):
    """Every step that takes memory asks the allocator first."""

    def asking(real):
        def asked(*arguments, **options):
            allocator.allocate()
            return real(*arguments, **options)

        return asked

    for name in ("load", "embed"):
        real = getattr(CdalPredictor, name)
        wrapped = asking(real)
        monkeypatch.setattr(
            CdalPredictor, name, staticmethod(wrapped) if name == "load" else wrapped
        )
    volume = "DiffusionSegLib.methods.cdal.volume_ensemble.draw_ensemble"
    monkeypatch.setattr(volume, asking(draw_ensemble))
    monkeypatch.setattr(predictor_module, "Proposal", asking(predictor_module.Proposal))


RUNS = {
    "propose": lambda one, progress: one.propose(Prompt(), progress),
    "click": lambda one, progress: one.propose(CLICK, progress),
    "refine": lambda one, progress: one.refine(painted(), Prompt(), progress, empty()),
}


def painted():
    array = np.zeros(GRID.shape_kji, np.uint8)
    array[5:9, 10:20, 10:18] = 1
    return Mask(array, GRID)


def empty():
    return Mask(np.zeros(GRID.shape_kji, np.uint8), GRID)


@pytest.mark.parametrize("kind", RUNS)
def test_wherever_memory_runs_out_once_the_run_finishes_and_says_so(models, monkeypatch, kind):
    for at in range(1, 60):
        with monkeypatch.context() as patch:
            allocator, stages = Allocator(at), []
            watch(patch, allocator)
            one = session(models, free=lambda device: None)
            progress = Progress(lambda report, heard=stages: heard.append(report.stage))
            one.set_image(IMAGE, progress=progress)
            found = RUNS[kind](one, progress)
        if allocator.count < at:  # it never came to that
            assert found.provenance.parameters.get("adjusted_for_memory") is None
            assert at > 4
            return
        said = found.provenance.parameters["adjusted_for_memory"]
        assert said[0] in ("in smaller windows", "in half precision"), at
        assert adjusted_sentence(found) in found.verdict.reason
        assert any(stage.startswith("Out of memory: going on ") for stage in stages)
        assert found.probability.array.shape[1:] == GRID.shape_kji
    pytest.fail("there are more steps than were tried")


def test_with_too_little_for_anything_it_says_what_was_tried_and_lives_on(models, monkeypatch):
    one = session(models, free=lambda device: None)
    one.set_image(IMAGE)
    with monkeypatch.context() as patch:
        watch(patch, Allocator(1, always=True))
        with pytest.raises(OutOfMemoryError, match=r"not even to outline it in .*smaller windows"):
            one.propose()
    one._too_large.clear()
    assert one.propose().provenance.parameters.get("adjusted_for_memory") is None


def test_what_was_too_large_is_not_tried_again_for_the_same_image(models, monkeypatch):
    one = session(models, free=lambda device: None)
    one.set_image(IMAGE)
    with monkeypatch.context() as patch:
        watch(patch, Allocator(1))
        one.propose()
    tried = []
    real = CdalPredictor.embed
    monkeypatch.setattr(
        CdalPredictor, "embed",
        lambda self, *more: tried.append(self.economy) or real(self, *more),
    )  # fmt: skip
    assert one.propose(CLICK).provenance.parameters["adjusted_for_memory"]
    assert "adjusted_for_memory" not in str(_another(one).provenance.parameters)
    assert [economy.smaller for economy in tried] == [0], "only the other image was prepared"


def _another(one):
    one.set_image(smooth_image(GRID, seed=5))
    return one.propose()


def test_room_made_elsewhere_keeps_the_run_as_it_was_asked(models, monkeypatch):
    asked = []
    one = session(models, free=lambda device: None)
    one.make_room = lambda: asked.append(1) is None and len(asked) == 1
    watch(monkeypatch, Allocator(3))
    one.set_image(IMAGE)
    assert one.propose().provenance.parameters.get("adjusted_for_memory") is None
    assert len(asked) == 1


def test_stopping_works_after_memory_ran_out(models, monkeypatch):
    one = session(models, free=lambda device: None)
    one.set_image(IMAGE)
    watch(monkeypatch, Allocator(1))
    stages = []

    def stopped():
        return bool(stages) and stages[-1].startswith("Out of memory")

    progress = Progress(lambda report: stages.append(report.stage), stopped)
    with pytest.raises(Cancelled):
        one.propose(progress=progress)


def test_an_image_too_large_to_prepare_is_cropped_around_the_marks(models, monkeypatch):
    regions, real = [], CdalPredictor.embed

    def embed(self, image, region, progress):
        regions.append(region)
        if region is None:
            raise MemoryError
        return real(self, image, region, progress)

    monkeypatch.setattr(CdalPredictor, "embed", embed)
    wide = Geometry((14, 60, 56), (1.0, 1.0, 1.0), (5.0, -8.0, 20.0))
    one = session(models, free=lambda device: None)
    one.set_image(smooth_image(wide))
    assert one.is_image_set
    with pytest.raises(OutOfMemoryError):
        one.propose()
    one._too_large.clear()
    place = wide.kji_to_ras([[7, 15, 14]])[0]
    found = one.propose(Prompt(points=[tuple(place)]))
    assert "only within 8 mm of the marks" in found.verdict.reason
    assert isinstance(regions[-1], Box)
    outside = np.ones(wide.shape_kji, bool)
    outside[regions[-1].slices_kji(wide)] = False
    assert not found.mask().array[outside].any() and found.mask().array.any()


def test_a_region_that_was_asked_for_stays(models, monkeypatch):
    region = Box(tuple(GRID.kji_to_ras([[7, 15, 14]])[0]), (12.0, 12.0, 12.0))
    watch(monkeypatch, Allocator(2, always=True))
    one = session(models, free=lambda device: None)
    with pytest.raises(OutOfMemoryError):
        one.set_image(IMAGE, region)
    assert not one.is_image_set


def test_a_plan_loads_nothing_and_reads_an_image_once(models, monkeypatch):
    from DiffusionSegLib.nouns.image import Image

    read, real = [], Image.content_hash
    monkeypatch.setattr(Image, "content_hash", lambda self: read.append(1) or real(self))
    monkeypatch.setattr(CdalPredictor, "load", staticmethod(lambda *_: pytest.fail("it loaded")))
    one = session(models)
    for prompt in (Prompt(), CLICK, Prompt()):
        plan = one.plan(prompt, IMAGE)
        assert plan.words.startswith("On the processor (") and plan.fits
    assert len(read) == 1 and not one.is_image_set


def test_where_memory_is_short_what_is_not_in_use_goes_before_anything_is_done_with_less(models):
    free = {"cpu": 10**12}
    one = session(models, free=free.get)
    costs = Costs(10, 1.0, 0.0, {}, {"full window": 1.0, "window": 1.0})
    one._planner.model = replace(one.model, costs=costs)
    one.set_image(smooth_image(GRID, seed=3))
    one.set_image(IMAGE)
    assert len(one._prepared) == 2
    free["cpu"] = 10_000  # one window of the whole image has more voxels
    asked = []
    one.make_room = lambda: free.update(cpu=10**12) is None and asked.append(1) is None
    assert "adjusted_for_memory" not in one.propose().provenance.parameters
    assert asked == [1] and len(one._prepared) == 1
    free["cpu"], one.make_room = 10_000, lambda: False
    told = []
    found = one.propose(CLICK, Progress(lambda report: told.append(report.stage)))
    assert "in smaller windows" in found.provenance.parameters["adjusted_for_memory"]
    assert any(stage.startswith("Memory is short: outlining in ") for stage in told)
