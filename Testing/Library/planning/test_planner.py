"""The planner with a method that says what each way needs, so that every case can be made."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.backbones.costs import Costs
from DiffusionSegLib.backbones.manifest import Licence, ModelEntry
from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.forecast import Economies, Forecast, RunWish, Work
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.planning.calibration import Calibrations
from DiffusionSegLib.planning.planner import Planner, Standing
from DiffusionSegLib.planning.room import usable_bytes

GRID = Geometry((30, 40, 40))
IMAGE = Image(np.zeros((1, *GRID.shape_kji), np.int16), GRID)
CLICK = Prompt(points=[tuple(GRID.kji_to_ras([[15, 20, 20]])[0])])
COSTS = Costs(
    1000, 0.5, 2.0, {"voxel": 0.001, "sample": 3.0}, {"voxel": 1.0, "sample": 7.0}, draws=0.0
)
WAYS = Economies(True, ("in small windows", "in tiny windows"), 1, 3.0)


@dataclass(frozen=True)
class Scripted:
    """share: bytes of each cut, of those of none; half: of half precision."""

    shares: tuple[float, ...] = (1.0, 0.5, 0.25)
    half: float = 0.6
    can: Economies = WAYS
    exact: bool = True

    def forecast(self, model, wish):
        geometry = wish.image.geometry
        if wish.region is not None:
            geometry = geometry.crop(wish.region.slices_kji(geometry))
        share = self.shares[wish.economy.smaller] * (self.half if wish.economy.half else 1.0)
        samples = wish.run.samples or 5
        sizes = {"voxel": geometry.voxel_count * share, "sample": float(samples)}
        times = {"voxel": float(geometry.voxel_count)}
        drawing = Work({**times, "sample": float(samples)}, sizes)
        embed = Work(times, {"voxel": 10.0})
        return Forecast(embed, drawing, Work({"sample": 1.0}, {}), "words", samples, self.exact)

    def economies(self, model):
        return self.can


class Fixed(Calibrations):
    def seconds(self, device):
        return {"cpu": 1.0, "cuda:0": 0.05}.get(device)


@pytest.fixture
def model(tmp_path):
    return entry(tmp_path)


def entry(folder, costs=COSTS):
    return ModelEntry(
        "m/a", "m", "a", "A", "", (), Licence("CC0"), "", "", (), (), (), {}, folder, costs=costs
    )


def planner(model, free, method=None, fast_half=False):
    room = free if callable(free) else (lambda device: free)
    return Planner(
        method or Scripted(), model, calibrations=Fixed(), free=room,
        fast_half=lambda device: fast_half,
    )  # fmt: skip


def wish(prompt=CLICK, **options):
    return RunWish(IMAGE, None, prompt, RunOptions(**options))


def planned(model, free, device="cpu", method=None, standing=None, asked=None, fast_half=False):
    one = planner(model, free, method, fast_half)
    asked, standing = asked or wish(), standing or Standing()
    rungs = one.ladder(asked, device)
    return one.plan(asked, rungs, one.choose(asked, rungs, standing), standing)


def test_as_asked_while_there_is_room(model):
    plan = planned(model, 10**9)
    assert plan.adjusted == () and plan.fits
    assert plan.memory_bytes == 1000 + 48000 + 5 * 7
    card_s = 2.0 + 48 + 48 + 15  # loading, preparing, outlining
    assert plan.seconds == pytest.approx(card_s * 1.0 / 0.5)
    assert plan.words == "About 4 min and 1 MB on the processor (words)"


def test_what_is_there_already_costs_nothing(model):
    loaded = Standing(frozenset({"cpu"}), embedded=True)
    assert planned(model, 10**9, standing=loaded).seconds == pytest.approx((48 + 15) * 2)
    again = replace(loaded, answered=True)
    assert planned(model, 10**9, standing=again).seconds == pytest.approx(3 * 2)
    need = 48035
    tight = int(need / 0.9) + 2
    assert planned(model, tight, standing=loaded).adjusted == ()
    assert planned(model, tight).adjusted != (), "here the network has to fit too"


def test_step_by_step_to_less(model):
    seen = []
    for free in range(60_000, 0, -250):
        plan = planned(model, free, fast_half=True)
        if not seen or seen[-1] != plan.adjusted:
            seen.append(plan.adjusted)
    assert [len(said) for said in seen] == [0, 1, 2, 2, 4]
    assert seen[1] == ("in half precision",) and "only within 3 mm of the marks" in seen[-1]
    last = planned(model, 100, fast_half=True)
    assert not last.fits and last.words.endswith("that may be too much: 1 MB are free")
    assert last.region is not None and last.samples == 1


def test_the_words_say_what_is_other_and_why(model):
    words = planned(model, 40_000).words
    assert words.startswith("About ") and "; in small windows, because only 1 MB are free" in words


def test_the_processor_where_the_gpu_has_no_room(model):
    free = {"cuda:0": 500, "cpu": 10**9}.get
    plan = planned(model, free, "cuda:0")
    assert plan.device == "cpu"
    assert plan.adjusted == ("on the processor instead of the NVIDIA GPU",)
    assert planned(model, lambda device: None, "cuda:0").device == "cuda:0", "nothing is known"
    quick = planned(model, 10**9, "cuda:0")
    assert quick.seconds == pytest.approx(113 * 0.05 / 0.5)


def test_runs_so_far_count_more_than_the_calibration(model):
    one = planner(model, 10**9)
    rung = one.ladder(wish(), "cpu")[0]
    one.learn_run(wish(), rung, False, 126.0)  # of 63 on the card's computer
    rungs = one.ladder(wish(), "cpu")
    assert one.plan(wish(), rungs, 0, Standing()).seconds == pytest.approx(113 * 2.0)
    one.learn_run(wish(), rung, True, 1000.0 * 3)  # it slept; 6 are believed
    assert one.plan(wish(), rungs, 0, Standing()).seconds == pytest.approx(113 * 3.2)
    vague = planner(model, 10**9, Scripted(exact=False))
    vague.learn_run(wish(), rung, False, 1e6)
    assert vague.plan(wish(), rungs, 0, Standing()).seconds == pytest.approx(226.0)


def test_a_card_without_costs_and_a_method_without_forecasts(tmp_path):
    plain = entry(tmp_path, None)
    plan = planned(plain, 1)
    assert (plan.seconds, plan.memory_bytes, plan.fits) == (None, None, True)
    assert plan.adjusted == () and plan.words == "On the processor (words)"
    assert len(planner(plain, 1).ladder(wish(), "cpu")) >= 4, "for when memory runs out"
    silent = planned(plain, 1, "cuda:0", method=object())
    assert silent.words == "On the NVIDIA GPU"
    assert [one.device for one in planner(plain, 1, object()).ladder(wish(), "mps")] == [
        "mps", "cpu",
    ]  # fmt: skip


def test_without_marks_or_with_a_region_nothing_is_cropped(model):
    for asked in (wish(Prompt()), replace(wish(), region=_block())):
        assert all(rung.region is None for rung in planner(model, 1).ladder(asked, "cpu"))
    outside = replace(wish(), region=replace(_block(), center_ras=(9e3, 0.0, 0.0)))
    with pytest.raises(PromptError):
        Scripted().forecast(model, outside)
    assert planned(model, 1, asked=outside).seconds is None, "the run itself will say so"


def test_half_precision_is_no_saving_where_it_is_used_anyway(model):
    rungs = planner(model, 1, Scripted(half=1.0), True).ladder(wish(), "cpu")
    assert not any("in half precision" in rung.said for rung in rungs)


def _block():
    from DiffusionSegLib.nouns.prompt import Box

    return Box(tuple(GRID.kji_to_ras([[15, 20, 20]])[0]), (10.0, 10.0, 10.0))


SHARE = st.floats(0.01, 2.0)


@settings(max_examples=60)
@given(
    st.tuples(SHARE, SHARE, SHARE),
    SHARE,
    st.integers(0, 6),
    st.integers(1, 12),
    st.dictionaries(st.sampled_from(["cpu", "cuda:0"]), st.integers(0, 150_000), min_size=2),
    st.booleans(),
    st.sampled_from([(), ("cuda:0",), ("cpu", "cuda:0")]),
)
def test_plans_keep_within_what_is_free(shares, half, least, samples, free, embedded, loaded):
    """Whatever the forecasts: rungs of a device need less and less; a plan fits when any does."""
    from pathlib import Path

    can = replace(WAYS, least_samples=least)
    method = Scripted(shares, half, can)
    one = planner(entry(Path()), free.get, method, True)
    asked, standing = wish(samples=samples), Standing(frozenset(loaded), embedded)
    rungs = one.ladder(asked, "cuda:0")
    assert rungs[0].said == () and rungs[0].device == "cuda:0"
    needs = {}
    for rung in rungs:
        need = one.memory_bytes(one.forecast(asked, rung), Standing())
        assert need < needs.get(rung.device, np.inf)
        needs[rung.device] = need
        assert rung.samples is None or max(1, least) <= rung.samples < samples
    left = [one._still_needed(asked, rung, standing) for rung in rungs]
    room = [usable_bytes(free[rung.device]) for rung in rungs]
    fitting = [need <= most for need, most in zip(left, room, strict=True)]
    number = one.choose(asked, rungs, standing)
    plan = one.plan(asked, rungs, number, standing)
    assert plan.fits == fitting[number] == any(fitting)
    assert number == fitting.index(True) if any(fitting) else left[number] == min(left)
    assert plan.adjusted == rungs[number].said
