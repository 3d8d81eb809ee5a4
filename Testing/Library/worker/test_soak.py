"""A thousand accidents in random order: nothing hangs, leaks or gets lost."""

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled, DiffusionSegError, WorkerError
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.worker.memory import process_memory
from Testing.Library.worker.toys import GRID, children, image, setup, wait_until

EVENTS = 1000
WEIGHTS = {
    "propose": 30, "refine": 8, "prepare": 6, "estimate": 4, "cancel": 20, "preview": 8, "stop": 6,
    "memory": 4, "describe": 2, "image": 8, "mistake": 4, "wait": 10, "poll": 20,
    "kill": 1.2, "garbage": 0.8, "die": 0.6,
}  # fmt: skip
MASK = Mask((image().array[0] > 50).astype(np.uint8), GRID)


class Soak:
    """Does random things with a client, and keeps every ticket with what it must answer."""

    def __init__(self, client, seed):
        self.client, self.random = client, random.Random(seed)
        self.images = {key: image(10 * number + 10) for number, key in enumerate("abc")}
        self.tickets, self.announced, self.counts = [], Counter(), Counter()
        self.seed = 0

    def step(self):
        name = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        self.counts[name] += 1
        getattr(self, name)()

    def note(self, ticket, **expected):
        ticket.when_done(lambda t: self.announced.update([t.id]))
        self.tickets.append((ticket, expected))

    def latest(self):
        return self.tickets[-1][0] if self.tickets else None

    def ready(self):
        key = self.random.choice("abc")
        if not self.client.has_image(key):
            self.note(self.client.set_image(key, self.images[key]))
        self.seed += 1
        return key

    def propose(self):
        key = self.ready()
        steps = self.random.choice([1, 1, 5, 200])
        wanted = setup(self.seed, steps=steps, pause=0.001)
        ticket = self.client.propose(wanted, key, Prompt())
        self.note(ticket, seed=self.seed, top=int(self.images[key].array.max()))

    def refine(self):
        key = self.ready()
        ticket = self.client.refine(setup(self.seed), key, MASK, Prompt(), MASK)
        self.note(ticket, seed=self.seed, top=int(self.images[key].array.max()))

    def mistake(self):
        fault = self.random.choice(["mistake", "exit", "memory", "print"])
        self.note(self.client.propose(setup(self.seed, fault=fault), self.ready(), Prompt()))

    def prepare(self):
        self.note(self.client.prepare(setup(), self.ready()))

    def estimate(self):
        self.note(self.client.estimate(setup(), self.ready()))

    def cancel(self):
        if self.tickets:
            self.random.choice(self.tickets[-4:])[0].cancel()

    def preview(self):
        if self.tickets:
            ticket = self.client.preview(self.latest())
            ticket.when_done(lambda t: None)

    def stop(self):
        if self.tickets:
            self.client.stop_here(self.latest())

    def memory(self):
        self.note(self.client.memory())

    def describe(self):
        self.note(self.client.describe())

    def image(self):
        key = self.random.choice("abc")
        self.images[key] = image(self.random.randint(10, 200))
        self.note(self.client.set_image(key, self.images[key]))

    def wait(self):
        if self.tickets:
            try:
                self.latest().result(30)
            except DiffusionSegError as error:
                assert "has not answered" not in str(error), "it hangs"

    def poll(self):
        self.client.poll()

    def kill(self):
        process = self.client._link and self.client._link._process
        if process and process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def garbage(self):
        process = self.client._link and self.client._link._process
        if process and process.stdin and not process.stdin.closed:
            with suppress(OSError, ValueError):  # it has ended meanwhile
                process.stdin.write(self.random.randbytes(64))

    def die(self):
        self.note(self.client.propose(setup(self.seed, fault="die"), self.ready(), Prompt()))


def descriptors():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("seed", [7])
def test_a_thousand_accidents(start, seed):
    before = descriptors(), threading.active_count(), children()
    client = start()
    soak = Soak(client, seed)
    client.set_image("a", soak.images["a"])
    client.describe().result(30)
    for _ in range(EVENTS // 5):
        soak.step()
    half = process_memory()
    for _ in range(EVENTS - EVENTS // 5):
        soak.step()
    for ticket, _ in soak.tickets:
        wait_until(lambda ticket=ticket: ticket.is_finished, 30, client.poll)
    client.poll()
    _check_answers(soak)
    assert client.propose(setup(123), soak.ready(), Prompt()).result(30).provenance.seed == 123
    assert client.restarts >= 5
    assert process_memory() - half < 30e6
    worker = client.memory().result(10)
    assert worker.process_rss < 400e6
    client.close()
    wait_until(lambda: children() <= before[2], 20)
    wait_until(lambda: threading.active_count() <= before[1], 20)
    wait_until(lambda: descriptors() <= before[0], 20)


def _check_answers(soak):
    """Every ticket is settled and announced once, and answers belong to their requests."""
    states = Counter(ticket.state for ticket, _ in soak.tickets)
    assert states["done"] > 100
    assert states["superseded"] > 20
    assert states["cancelled"] > 20
    assert states["failed"] > 10
    for ticket, expected in soak.tickets:
        assert soak.announced[ticket.id] == 1, (ticket.kind, ticket.state)
        if ticket.state == "done" and "seed" in expected:
            assert ticket.value.provenance.seed == expected["seed"]
            if ticket.kind == "propose":
                assert ticket.value.auxiliary["as it was"].array.max() == expected["top"]
        if ticket.state in ("cancelled", "superseded"):
            assert isinstance(ticket.error, Cancelled)
            assert ticket.value is None
        if ticket.state == "failed":
            assert isinstance(ticket.error, DiffusionSegError)
            known = ("stopped", "mistake in the program", "not enough memory")
            assert any(words in str(ticket.error) for words in known), ticket.error
    assert any(isinstance(t.error, WorkerError) for t, _ in soak.tickets)
