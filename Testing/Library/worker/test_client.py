"""What both kinds of client do when nothing goes wrong with the worker."""

import os
import threading
import time

import numpy as np
import pytest

from DiffusionSegLib.errors import (
    Cancelled,
    InputError,
    OutOfMemoryError,
    PromptError,
    UnknownNameError,
    WorkerError,
)
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.worker.inprocess import InProcessClient
from Testing.Library.worker.toys import GRID, children, has_begun, image, setup, wait_until

PLACE = tuple(GRID.kji_to_ras([[2, 4, 5]])[0])
LONG = {"steps": 1000, "pause": 0.02}


def test_nothing_is_started_before_the_first_request(start):
    before, threads = children(), threading.active_count()
    client = start()
    client.poll()
    assert not client.is_running
    assert children() == before
    assert threading.active_count() == threads
    assert not client.has_image("a")
    client.describe()
    assert client.is_running


def test_a_proposal_arrives_whole(client):
    picture = image()
    client.set_image("a", picture)
    assert client.has_image("a")
    assert not client.has_image("nobody")
    prompt = Prompt(points=[PLACE], boxes=[Box(PLACE, (4, 4, 4))])
    found = client.propose(setup(seed=5, steps=3), "a", prompt).result(20)
    assert found.geometry == GRID
    assert found.provenance.seed == 5
    assert found.provenance.model == "bright/spot"
    assert found.provenance.prompt["points"] == [[*PLACE, "+"]]
    assert [label.value for label in found.labels] == [7]
    assert found.verdict.reason == "It is bright."
    expected = picture.array[0] > 50
    assert np.array_equal(found.mask().array, expected * 7)
    assert found.uncertainty is not None
    assert found.uncertainty.geometry == GRID
    (other,) = found.alternatives
    assert (other.score, other.title) == (0.25, "also what is dim")
    assert other.mask.provenance.seed == 5
    assert np.array_equal(other.mask.array > 0, expected)
    assert np.array_equal(found.auxiliary["as it was"].array, picture.array)


def test_a_region_keeps_the_evidence_small_and_the_outline_in_place(client):
    client.set_image("a", image())
    region = Box.from_corners(*GRID.kji_to_ras([[1, 2, 3], [2, 5, 5]]))
    found = client.propose(setup(), "a", Prompt(region=region)).result(20)
    assert found.evidence.geometry.shape_kji == (2, 4, 3)
    expected = np.zeros(GRID.shape_kji, np.uint8)
    expected[1:3, 2:6, 3:6] = 7
    assert np.array_equal(found.mask().array, expected)


def test_refine_gets_both_masks(client):
    client.set_image("a", image())
    before = np.zeros(GRID.shape_kji, np.uint8)
    before[1, 3:6, 4:7] = 7
    edited = before.copy()
    edited[2, 3:5, 4:6] = 7
    labels = (label_for(7, "spot"),)
    scribble = np.zeros((4, 12, 10), np.uint8)
    scribble[0, 0, 0] = 2
    prompt = Prompt(scribbles=Mask(scribble, GRID))
    ticket = client.refine(
        setup(), "a", Mask(edited, GRID, labels), prompt, Mask(before, GRID, labels)
    )
    found = ticket.result(20)
    assert np.array_equal(found.mask().array, edited)
    assert found.provenance.parameters["changed"] == 4
    assert found.provenance.prompt["scribbled_voxels"] == 1


def test_callbacks_come_only_when_polled_and_from_the_callers_thread(client):
    client.set_image("a", image())
    heard, reports = [], []
    ticket = client.propose(setup(steps=30, pause=0.02), "a", Prompt())
    ticket.when_done(lambda t: heard.append((t, threading.get_ident())))
    ticket.when_progress(lambda p: reports.append((p, threading.get_ident())))
    time.sleep(1.0)
    assert (heard, reports) == ([], [])
    wait_until(lambda: bool(heard), poll=client.poll)
    assert heard == [(ticket, threading.get_ident())]
    assert ticket.state == "done"
    assert {thread for _, thread in reports} == {threading.get_ident()}
    stages = [report.stage for report, _ in reports]
    assert stages[-1] == "Drawing"
    fractions = [report.fraction for report, _ in reports]
    assert fractions == sorted(fractions)
    late = []
    ticket.when_done(late.append)
    assert late == []
    client.poll()
    assert late == [ticket]
    client.poll()
    assert (len(late), len(heard)) == (1, 1)


def test_a_callback_that_fails_or_asks_again_harms_nobody(client):
    client.set_image("a", image())
    second = []

    def again(ticket):
        second.append(client.propose(setup(seed=9), "a", Prompt()).result(20))

    ticket = client.propose(setup(), "a", Prompt())
    ticket.when_done(lambda t: 1 / 0).when_done(again)
    wait_until(lambda: bool(second), poll=client.poll)
    assert second[0].provenance.seed == 9


def test_a_newer_outline_takes_the_place_of_older_ones(client):
    client.set_image("a", image())
    tickets = [client.propose(setup(seed=n, **LONG), "a", Prompt()) for n in range(5)]
    last = client.propose(setup(seed=99), "a", Prompt())
    assert [ticket.state for ticket in tickets] == ["superseded"] * 5
    begun_s = time.monotonic()
    assert last.result(20).provenance.seed == 99
    assert time.monotonic() - begun_s < 5
    with pytest.raises(Cancelled, match="newer request"):
        tickets[0].result(1)
    heard = []
    tickets[1].when_done(heard.append)
    client.poll()
    assert heard == [tickets[1]]


def test_cancelling_is_acknowledged_at_once_even_if_the_job_notices_nothing(client):
    client.set_image("a", image())
    client.prepare(setup(), "a").result(20)
    ticket = client.propose(setup(steps=1, pause=1.2, fault="hang"), "a", Prompt())
    wait_until(lambda: ticket.progress and ticket.progress.stage == "Hanging", 20, client.poll)
    begun_s = time.monotonic()
    ticket.cancel()
    heard = []
    ticket.when_done(heard.append)
    client.poll()
    assert time.monotonic() - begun_s < 0.1
    assert heard == [ticket]
    assert ticket.state == "cancelled"
    with pytest.raises(Cancelled):
        ticket.result(0)
    assert client.memory().result(0.5).process_rss > 1e7  # the worker still listens
    assert client.propose(setup(seed=4), "a", Prompt()).result(20).provenance.seed == 4
    assert (ticket.state, ticket.value) == ("cancelled", None)  # the late answer is dropped
    ticket.cancel()
    assert len(heard) == 1


def test_preview_is_the_running_estimate_at_its_place(client):
    client.set_image("a", image())
    ticket = client.propose(setup(steps=200, pause=0.01), "a", Prompt())
    asked = client.preview(ticket)
    assert client.preview(ticket) is asked
    first = asked.result(20).probability
    assert first.geometry == GRID
    assert first.array.dtype == np.float16
    assert first.array.shape == (1, *GRID.shape_kji)
    time.sleep(0.3)
    second = client.preview(ticket).result(20).probability
    assert 0 < first.array.max() < second.array.max() < 1
    waiting = client.preview(ticket)
    ticket.cancel()
    assert waiting.result(20) is None or waiting.state == "done"
    assert client.preview(ticket).result(1) is None


def test_stop_here_finishes_with_what_there_is(client):
    client.set_image("a", image())
    ticket = client.propose(setup(**LONG), "a", Prompt())
    wait_until(
        lambda: ticket.progress is not None and ticket.progress.fraction > 0, 20, client.poll
    )
    client.stop_here(ticket)
    found = ticket.result(5)
    assert 0 < found.provenance.parameters["done"] < 500
    client.stop_here(ticket)  # too late: nothing happens
    assert (
        client.propose(setup(steps=5), "a", Prompt()).result(9).provenance.parameters["done"] == 5
    )


def test_estimates_are_measured_and_then_learnt_from_the_last_run(fresh):
    fresh.set_image("a", image())
    tried = fresh.estimate(setup(steps=50, pause=0.02), "a").result(20)
    assert 0.9 < tried.seconds < 4
    assert " s and " in tried.words
    assert tried.words.endswith("on the processor (50 steps)")
    assert tried.memory_bytes > 1e7
    fresh.propose(setup(steps=10, pause=0.04), "a", Prompt()).result(20)
    learnt = fresh.estimate(setup(steps=50, pause=0.0), "a").result(20)
    assert 1.9 < learnt.seconds < 6


def test_a_change_of_seed_or_parameters_costs_no_embedding(toy_here):
    client = InProcessClient()
    from DiffusionSegLib.methods.registry import get_method

    predictor = __import__(type(get_method("bright")).__module__, fromlist=["Predictor"]).Predictor
    before = predictor.embedded
    client.set_image("a", image())
    client.prepare(setup(), "a").result(20)
    for seed in range(3):
        client.propose(setup(seed=seed, steps=seed + 1), "a", Prompt()).result(20)
    client.set_image("a", image())  # equal, though another object
    client.propose(setup(), "a", Prompt()).result(20)
    assert predictor.embedded - before == 1
    client.set_image("b", image(50))
    client.propose(setup(), "b", Prompt()).result(20)
    client.propose(setup(), "a", Prompt()).result(20)
    assert predictor.embedded - before == 2
    client.close()


def test_another_image_under_the_same_key_takes_its_place(client):
    client.set_image("a", image())
    assert client.propose(setup(), "a", Prompt()).result(20).mask().volume_ml() > 0
    wide = image(geometry=Geometry((4, 14, 10)))
    client.set_image("a", wide)
    assert client.propose(setup(), "a", Prompt()).result(20).geometry == wide.geometry


def test_two_images_are_remembered_and_the_last_used_stay(client):
    client.set_image("a", image(10))
    client.set_image("b", image(20))
    client.propose(setup(), "a", Prompt()).result(20)
    client.set_image("c", image(30))
    assert [client.has_image(key) for key in "abc"] == [True, False, True]
    with pytest.raises(InputError, match="No image is known as 'b'; call set_image"):
        client.propose(setup(), "b", Prompt()).result(1)
    again = client.set_image("c", client._images.find("c"))
    assert again.state == "done"  # not sent twice
    for key, value in (("a", 10), ("c", 30)):
        found = client.propose(setup(), key, Prompt()).result(20)
        assert found.auxiliary["as it was"].array.max() == value


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        (setup(method="brigth"), UnknownNameError, "Did you mean 'bright'"),
        (setup(steps="many"), InputError, "steps takes a whole number"),
        (setup(fault="mistake"), WorkerError, "mistake in the program .*ZeroDivisionError: div"),
        (setup(fault="exit"), WorkerError, "SystemExit: 3"),
        (setup(fault="memory"), OutOfMemoryError, "not enough memory for this image"),
        (setup(fault="grow"), OutOfMemoryError, "not enough memory for this image"),
        (setup(fault="package"), WorkerError, r"package torch is missing.*-m pip install torch"),
    ],
)
def test_errors_are_sentences_and_the_worker_goes_on(client, wanted, error, words):
    client.set_image("a", image())
    ticket = client.propose(wanted, "a", Prompt())
    with pytest.raises(error, match=words) as caught:
        ticket.result(20)
    assert ticket.state == "failed"
    assert "\n" not in str(caught.value)
    if "mistake" in str(wanted):
        assert "toy_methods" in caught.value.log  # where it happened
    assert client.propose(setup(), "a", Prompt()).result(20) is not None
    assert client.restarts == 0


def test_prompt_errors_keep_their_class(client):
    client.set_image("a", image())
    with pytest.raises(PromptError, match="lies outside the image"):
        client.propose(setup(), "a", Prompt(points=[(900, 0, 0)])).result(20)
    with pytest.raises(PromptError, match="does not take text"):
        client.propose(setup(), "a", Prompt(text="spot")).result(20)


def test_waiting_has_an_end(client):
    client.set_image("a", image())
    ticket = client.propose(setup(**LONG), "a", Prompt())
    with pytest.raises(WorkerError, match=r"not answered within 0\.2 s"):
        ticket.result(0.2)
    assert ticket.state == "waiting"


def test_describe_and_memory_are_answered_while_a_job_runs(client):
    client.set_image("a", image())
    client.prepare(setup(), "a").result(20)
    ticket = client.propose(setup(**LONG), "a", Prompt())
    found = client.describe().result(5)
    (method,) = [part for part in found.methods if part.name == "bright"]
    assert method.prompts == {"points", "boxes", "scribbles"}
    specs = {spec.name: spec for spec in method.parameters}
    assert specs["fault"].choices[0] == "none"
    assert (specs["gain"].live, specs["pause"].live) == (True, False)
    (model,) = [part for part in found.models if part.method == "bright"]
    assert model.limits == "Only for tests."
    assert model.labels[0].value == 7
    assert model.licence.name == "CC0-1.0"
    report = client.memory().result(5)
    assert report.kept[-1] == "bright/spot on cpu, an image of 10 x 12 x 4 voxels"
    assert report.device_allocated is None
    assert ticket.state == "waiting"


def test_closing_ends_everything(fresh):
    before = children()
    fresh.set_image("a", image())
    ticket = fresh.propose(setup(**LONG), "a", Prompt())
    wait_until(lambda: has_begun(ticket), 20, fresh.poll)
    begun_s = time.monotonic()
    fresh.close()
    assert time.monotonic() - begun_s < 1.5
    assert ticket.state == "cancelled"
    assert not fresh.is_running
    with pytest.raises(WorkerError, match="closed"):
        fresh.describe().result(1)
    fresh.close()
    wait_until(lambda: children() <= before - {os.getpid()})
