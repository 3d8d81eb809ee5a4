"""ADZUS in a worker process: in the catalogue, and the outlines of a session."""

import os

import numpy as np
import pytest

from DiffusionSegLib.errors import PromptError, UnknownNameError
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.command import default_command
from DiffusionSegLib.worker.setup import Setup
from Testing.Library.methods.adzus.tiny_model import click, picture, tiny_session, write_models
from Testing.Project.source import ROOT

IMAGE, INSIDE = picture()
IN = Prompt(points=[click(IMAGE, 0, 32, 32)])
STROKES = np.zeros(IMAGE.geometry.shape_kji, np.uint8)
STROKES[0, 28:36, 30:33], STROKES[0, 2:6, 3:20] = 1, 2


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = write_models(tmp_path_factory.mktemp("models"))
    write_models(folder, {"kind": "compact", "name": "gone"})
    (folder / "adzus" / "tiny").rename(folder / "adzus" / "lost")
    card = folder / "adzus" / "lost" / "model.json"
    card.write_text(card.read_text().replace('"name": "tiny", "title"', '"name": "lost", "title"'))
    return write_models(folder)


@pytest.fixture(scope="module")
def client(models):
    environment = {**os.environ, "DIFFUSIONSEG_MODELS": str(models), "PYTHONPATH": str(ROOT)}
    client = WorkerClient(default_command(), environment)
    client.set_image("a", IMAGE)
    yield client
    client.close()


def setup(model="tiny", **parameters):
    return Setup("adzus", model, "cpu", parameters=parameters)


def test_the_catalogue_says_what_it_takes(client):
    catalogue = client.describe().result(60)
    method = next(one for one in catalogue.methods if one.name == "adzus")
    assert method.prompts == {"text", "points", "boxes", "scribbles", "region"}
    assert method.refines
    assert not method.trains
    parameters = {spec.name: spec for spec in method.parameters}
    assert parameters["granularity"].live
    assert (parameters["granularity"].minimum, parameters["granularity"].maximum) == (0.0, 1.0)
    assert [name for name, spec in parameters.items() if spec.live] == ["granularity"]
    assert {"timestep", "window", "evidence", "anchors", "tau"} <= set(parameters)
    assert all(spec.title and spec.source for spec in method.parameters)
    model = next(one for one in catalogue.models if one.id == "adzus/tiny")
    assert (model.labels[0].name, model.inputs[0].kind) == ("structure", "any")
    assert not [one for one in catalogue.models if one.method == "backbone"]


def test_outlines_are_those_of_a_session(client, models, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(models))
    session = tiny_session()
    session.set_image(IMAGE)
    prompts = [
        IN,
        Prompt(scribbles=Mask(STROKES, IMAGE.geometry)),
        Prompt(boxes=[Box(IN.points[0].position_ras, (40.0, 40.0, 1.0))]),
        Prompt(text="disc", points=IN.points),
        Prompt(),
    ]
    for prompt in prompts:
        there = client.propose(setup(), "a", prompt).result(60)
        here = session.propose(prompt)
        assert np.array_equal(there.probability.array, here.probability.array)
        assert there.provenance.rule == here.provenance.rule
        assert there.provenance.weights_sha256 == here.provenance.weights_sha256 != ""
        assert there.labels == here.labels
        assert len(there.alternatives) == len(here.alternatives)
        for one, other in zip(there.alternatives, here.alternatives, strict=True):
            assert np.array_equal(one.mask.array, other.mask.array)
            assert (one.title, one.score) == (other.title, other.score)
    assert np.array_equal(there.auxiliary["regions"].array, here.auxiliary["regions"].array)


def test_refinements_are_those_of_a_session(client, models, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(models))
    session = tiny_session()
    session.set_image(IMAGE)
    before = session.propose(IN).mask()
    edited = before.array.copy()
    edited[0, 10:20, 5:12] ^= 1
    painted = Mask(edited, IMAGE.geometry, before.labels)
    there = client.refine(setup(), "a", painted, IN, before).result(60)
    here = session.refine(painted, IN, original=before)
    assert np.array_equal(there.mask().array, here.mask().array)
    user = edited != before.array
    assert np.array_equal(there.mask().array[user], edited[user])


def test_a_newer_prompt_takes_the_place_of_an_older_one(client):
    """As a slider is drawn: the last value is answered, and those on the way may not be."""
    tickets = [client.propose(setup(granularity=step / 10), "a", IN) for step in range(11)]
    found = tickets[-1].result(60)
    assert found.provenance.parameters["granularity"] == 1.0
    assert tickets[0].state in ("superseded", "done")
    assert {ticket.state for ticket in tickets[:-1]} <= {"superseded", "done"}
    assert sum(ticket.state == "superseded" for ticket in tickets) >= 5


def test_what_cannot_be_used_is_a_sentence_and_the_worker_lives(client):
    outside = Prompt(points=[(500, 0, 0)])
    with pytest.raises(PromptError, match="outside the image"):
        client.propose(setup(), "a", outside).result(60)
    with pytest.raises(PromptError, match="only mark excludes"):
        exclude = click(IMAGE, 0, 3, 3, include=False)
        client.propose(setup(), "a", Prompt(points=[exclude])).result(60)
    with pytest.raises(PromptError, match="tokens and the model reads 5"):
        client.propose(setup(), "a", Prompt(text="one two three four five six")).result(60)
    with pytest.raises(UnknownNameError, match="'gone'"):
        client.propose(setup("lost"), "a", IN).result(60)
    assert client.propose(setup(), "a", IN).result(60).mask().array.any()
