import pytest

from DiffusionSegLib.errors import InputError, OutOfMemoryError
from DiffusionSegLib.planning.rates import RateKey
from DiffusionSegLib.worker.engine import Engine
from DiffusionSegLib.worker.job import Job
from DiffusionSegLib.worker.packing import pack_prompt
from DiffusionSegLib.worker.requests import job_header
from DiffusionSegLib.worker.setup import Setup
from Testing.Library.worker.toys import image, setup


def job(kind="prepare", wanted=None, picture=None):
    from DiffusionSegLib.nouns.prompt import Prompt

    arrays, heard = [], []
    header = {**job_header(kind, wanted or setup(), "a", None), "id": 1}
    header["prompt"] = pack_prompt(Prompt(), arrays)
    made = Job(1, header, tuple(arrays), picture or image(), heard.append, None)
    made.heard = heard
    return made


@pytest.fixture
def engine(toy_here):
    return Engine()


def named(model):
    return Setup("bright", model, "cpu")


def test_two_networks_stay_warm_and_the_last_used_ones(engine):
    for model in ("spot", "Spot", "spot", "SPOT"):
        engine.perform(job(wanted=named(model)))
    kept = [key[1] for key in engine._warm]
    assert kept == ["spot", "SPOT"]
    assert len(engine.memory().kept) == 2


def test_what_is_not_needed_goes_when_memory_runs_out_and_then_it_is_said(engine):
    engine.perform(job(wanted=named("Spot")))
    wanted = Setup("bright", "spot", "cpu", parameters={"fault": "memory"})
    engine.perform(job(wanted=named("spot")))
    with pytest.raises(OutOfMemoryError, match="smaller region"):
        engine.perform(job("propose", wanted))
    assert [key[1] for key in engine._warm] == ["spot"]


def test_with_room_made_the_job_succeeds(engine, monkeypatch):
    engine.perform(job(wanted=named("Spot")))
    engine.perform(job(wanted=named("spot")))
    session = engine._warm[named("spot").network].session
    real, calls = session.propose, []

    def scarce(*arguments, **options):
        calls.append(len(engine._warm))
        if len(engine._warm) > 1:
            raise OutOfMemoryError("full")
        return real(*arguments, **options)

    monkeypatch.setattr(session, "propose", scarce)
    assert engine.perform(job("propose", named("spot"))) is not None
    assert calls == [2, 1]


def test_the_stage_tells_of_loading_before_it_begins(engine):
    first, second = job(), job()
    engine.perform(first)
    engine.perform(second)
    assert first.heard[0].stage == "Loading the model"
    assert second.heard[0].stage == "Preparing"


def test_a_mistake_in_the_set_up_leaves_the_session_warm(engine):
    engine.perform(job())
    with pytest.raises(InputError, match="seed must be"):
        engine.perform(job(wanted=setup(seed=-1)))
    picture = job().image
    assert engine.perform(job("propose", picture=picture)).provenance.seed == 0


def test_a_run_that_was_stopped_teaches_nothing(engine):
    quick = job("propose", setup(steps=10, pause=0.05))
    quick.enough.set()
    engine.perform(quick)
    key = RateKey.of(engine._warm[setup().network].session.model, "cpu", "step")
    assert engine._rates.find(key) is None
    engine.perform(job("propose", setup(steps=2, pause=0.05)))
    assert engine._rates.find(key).seconds == pytest.approx(0.05, rel=0.9)
