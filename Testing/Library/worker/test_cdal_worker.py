"""The real method in a worker process gives what a session gives."""

import os
import sys
import time

import numpy as np
import pytest

from DiffusionSegLib.errors import ModelError, WorkerError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.command import default_command
from DiffusionSegLib.worker.setup import Setup
from Testing.Library.toy_model import smooth_image, toy_session, write_toy
from Testing.Library.worker.toys import image, wait_until

VOLUME = Geometry((10, 20, 18), (1.0, 1.0, 1.5), (5.0, -8.0, 20.0))
EXACT = {"precision": "float32", "tolerance": 0.0}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_toy(folder, "volume")
    write_toy(folder, "gray")
    (folder / "cdal" / "gray" / "weights.safetensors").write_bytes(b"damaged")
    return folder


@pytest.fixture(scope="module")
def client(models):
    environment = {**os.environ, "DIFFUSIONSEG_MODELS": str(models)}
    client = WorkerClient(default_command(), environment)
    client.set_image("a", smooth_image(VOLUME))
    yield client
    client.close()


def setup(**options):
    return Setup("cdal", "volume", "cpu", **{"parameters": EXACT, **options})


def test_outlines_and_refinements_are_those_of_a_session(client, models):
    session = toy_session(models, "volume", seed=3, samples=2, parameters=EXACT)
    session.set_image(smooth_image(VOLUME))
    inside = tuple(VOLUME.kji_to_ras([[5, 9, 9]])[0])
    for prompt in (Prompt(), Prompt(points=[inside]), Prompt(region=Box(inside, (9, 9, 9)))):
        there = client.propose(setup(seed=3, samples=2), "a", prompt).result(60)
        here = session.propose(prompt)
        assert np.array_equal(there.probability.array, here.probability.array)
        assert np.array_equal(there.uncertainty.array, here.uncertainty.array)
        assert there.provenance.weights_sha256 == here.provenance.weights_sha256
    before = session.propose().mask()
    edited = before.array.copy()
    edited[2:6, 3:9, 4:8] ^= 1
    edited = Mask(edited, VOLUME, before.labels)
    there = client.refine(setup(seed=3, samples=2), "a", edited, Prompt(), before).result(60)
    here = session.refine(edited, original=before)
    assert np.array_equal(there.mask().array, here.mask().array)


def test_previews_estimates_and_stopping(client):
    ticket = client.propose(setup(samples=1000), "a", Prompt())
    shown = client.preview(ticket).result(30).probability
    assert shown.array.shape[1:] == shown.geometry.shape_kji
    assert 0 < shown.array.max() <= 1
    client.stop_here(ticket)
    begun_s = time.monotonic()
    found = ticket.result(30)
    assert time.monotonic() - begun_s < 3
    assert found.provenance.parameters["stopped_early"] is True
    assert 1 <= found.provenance.parameters["samples"] < 1000
    assert "Stopped early" in found.verdict.reason
    estimate = client.estimate(setup(samples=12), "a").result(30)
    assert "on the processor (1 window, up to 12 samples)" in estimate.words
    begun_s = time.monotonic()
    client.propose(setup(samples=12), "a", Prompt()).result(60)
    seconds = time.monotonic() - begun_s
    again = client.propose(setup(samples=12), "a", Prompt())
    assert again.result(60).provenance.duration_s < max(0.2, seconds / 4), "it is drawn already"
    learnt = client.estimate(setup(seed=7, samples=12), "a").result(30)
    assert seconds / 4 < learnt.seconds < seconds * 2 + 0.2
    assert learnt.memory_bytes > 5e7


def test_hello_names_devices_and_why_some_cannot_be_used(client):
    hello = client.hello().result(60)
    assert hello.torch is not None
    assert hello.problem is None
    assert {"DiffusionSeg", "python", "numpy", "torch"} <= set(hello.versions)
    cpu = hello.devices[0]
    assert (cpu.name, cpu.usable, cpu.reason) == ("cpu", True, "")
    assert len(hello.devices) >= 3
    assert all(device.usable != bool(device.reason) for device in hello.devices)


def test_damaged_weights_are_a_sentence(client):
    wanted = Setup("cdal", "gray", "cpu")
    with pytest.raises(ModelError, match="install the model again"):
        client.prepare(wanted, "a").result(60)


def test_cancelling_between_steps_frees_the_worker(client):
    client.propose(setup(samples=1000), "a", Prompt())
    wait_until(lambda: client.memory().result(5) is not None, 5, client.poll)
    begun_s = time.monotonic()
    found = client.propose(setup(seed=8, samples=1), "a", Prompt()).result(30)
    assert found.provenance.seed == 8
    assert time.monotonic() - begun_s < 3


def test_without_torch_it_says_what_to_do(models):
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from DiffusionSegLib.worker.serve import serve\nserve()"
    )
    client = WorkerClient((sys.executable, "-c", program))
    try:
        hello = client.hello().result(30)
        assert (hello.torch, hello.devices) == (None, ())
        words = r"package torch is missing .* -m pip install torch, or choose another"
        assert "-m pip install torch" in hello.problem
        client.set_image("a", image())
        for device in ("auto", "cpu"):
            wanted = Setup("cdal", "hippocampus", device)
            with pytest.raises(WorkerError, match=words):
                client.propose(wanted, "a", Prompt()).result(30)
        assert [method.name for method in client.describe().result(5).methods]
        assert client.memory().result(5).process_rss > 0
    finally:
        client.close()
