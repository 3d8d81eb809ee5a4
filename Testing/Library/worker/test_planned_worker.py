"""The plan and what was done with less, through the worker's client."""

import pytest

from DiffusionSegLib.methods.cdal.drawing import Drawing
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.planning.rates import RateKey, Rates
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.engine import Engine
from DiffusionSegLib.worker.inprocess import InProcessClient
from DiffusionSegLib.worker.job import Job
from DiffusionSegLib.worker.packing import pack_prompt
from DiffusionSegLib.worker.requests import job_header
from DiffusionSegLib.worker.setup import Setup
from Testing.Library.worker.toys import COMMAND, environment
from Testing.Project.source import ROOT

SAMPLES = ROOT / "Resources" / "Samples"
NUCLEI, SKIN = Setup("cdal", "nuclei", "cpu", samples=1), Setup("cdal", "skin-lesion", "cpu")


@pytest.fixture(scope="module")
def picture():
    return Image.read(SAMPLES / "dsb2018_nuclei" / "images" / "fluorescence_013.png")


def test_an_estimate_is_the_plan(picture, tmp_path):
    client = WorkerClient(COMMAND, environment(tmp_path))
    try:
        client.set_image("a", picture)
        found = client.estimate(NUCLEI, "a").result(60)
    finally:
        client.close()
    assert found.words == found.plan.words and found.plan.device == "cpu"
    assert found.seconds == found.plan.seconds > 0
    assert found.memory_bytes == found.plan.memory_bytes > 1e7
    assert found.words.endswith("on the processor (1 window, up to 1 sample)")


def test_memory_that_runs_out_is_told_while_it_happens_and_in_the_result(picture, monkeypatch):
    real = Drawing._draw_on

    def scarce(self, grid, *more):
        if grid.largest_kji is not None:
            raise MemoryError
        return real(self, grid, *more)

    monkeypatch.setattr(Drawing, "_draw_on", scarce)
    client, stages = InProcessClient(), []
    try:
        client.set_image("a", picture)
        ticket = client.propose(NUCLEI, "a", Prompt())
        ticket.when_progress(lambda progress: stages.append(progress.stage))
        found = ticket.result(60)
    finally:
        client.close()
    assert "in smaller windows" in found.provenance.parameters["adjusted_for_memory"]
    assert "For lack of memory it was outlined in " in found.verdict.reason
    assert any(stage.startswith("Out of memory: going on ") for stage in stages)


def job(kind, wanted, image):
    arrays = []
    header = {**job_header(kind, wanted, "a", None), "id": 1}
    header["prompt"] = pack_prompt(Prompt(), arrays)
    return Job(1, header, tuple(arrays), image, lambda progress: None, None)


def test_an_estimate_loads_nothing_and_a_run_teaches(picture, tmp_path):
    engine = Engine(Rates(tmp_path / "rates.json"))
    engine.perform(job("estimate", NUCLEI, picture))
    session = engine._warm[NUCLEI.network].session
    assert session._predictor is None and not session.is_image_set
    engine.perform(job("propose", NUCLEI, picture))
    key = RateKey.of(session.model, "cpu", "card")
    learned = engine._rates.find(key)
    assert learned is not None and Rates(tmp_path / "rates.json").find(key) == learned
    again = Engine(Rates(tmp_path / "rates.json")).perform(job("estimate", NUCLEI, picture))
    session._answered = ()
    once = session._planner.rates.find(key).seconds
    assert again.seconds == pytest.approx(once * _card_seconds(session, picture), rel=1e-6)


def _card_seconds(session, picture):
    from DiffusionSegLib.planning.plan import Rung
    from DiffusionSegLib.planning.planner import Standing

    planner = session._planner
    forecast = planner.forecast(session._wish(picture, None, Prompt()), Rung("cpu"))
    return planner.card_seconds(forecast, Standing(), "cpu")


def test_other_models_go_before_a_plan_does_with_less(picture, monkeypatch):
    engine = Engine()
    skin = Image.read(SAMPLES / "isic2017_98" / "images" / "ISIC_0012956.jpg")
    engine.perform(job("propose", SKIN, skin))
    monkeypatch.setattr(
        "DiffusionSegLib.worker.engine.free_bytes",
        lambda device, computer: 60_000_000 if len(engine._warm) > 1 else 10**10,
    )
    found = engine.perform(job("estimate", NUCLEI, picture))
    assert found.plan.adjusted == () and list(engine._warm) == [NUCLEI.network]
