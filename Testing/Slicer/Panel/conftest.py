"""The page, opened over a fresh scene, with one worker process for all tests."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from DiffusionSegLib.errors import WorkerError
from DiffusionSegLib.worker.catalogue import catalogue
from Testing.Library.worker.scripted import ScriptedClient, hello
from Testing.Slicer.Bridge.results import proposal
from Testing.Slicer.Panel.setting_up import (  # noqa: F401 - fixtures
    answers,
    built,
    environment,
    fresh,
    hide,
    installers,
    probe_once,
    wheels,
)
from Testing.Slicer.waiting import Waiting

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "Resources" / "Samples"
HIPPOCAMPUS = SAMPLES / "msd_hippocampus"


class Lasting:
    """A client for many tests in turn: close() ends what a test left under way, not the worker."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.tickets: list[Any] = []
        self.sent: list[Any] = []

    def set_image(self, key: str, image: Any) -> Any:
        self.sent.append(image)
        return self.client.set_image(key, image)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.client, name)
        if name not in ("propose", "refine", "estimate", "describe", "hello"):
            return value

        def request(*arguments: Any) -> Any:
            ticket = value(*arguments)
            self.tickets.append(ticket)
            return ticket

        return request

    def close(self) -> None:
        for ticket in self.tickets:
            ticket.cancel()
        self.tickets = []


class Moved(Lasting):
    """A client of a worker in an environment of one test, which goes with it."""

    def close(self) -> None:
        self.client.close()


class OpenedPage(Waiting):
    """The module as a user has it, and what a user does."""

    def __init__(self, module: Any) -> None:
        self.module = module

    @property
    def widget(self) -> Any:
        return self.module.widget

    @property
    def page(self) -> Any:
        return self.widget.page

    @property
    def ui(self) -> Any:
        return self.widget.ui

    @property
    def setup(self) -> Any:
        """The controller of the page for setting up."""
        return self.page.setup

    @property
    def setupUi(self) -> Any:
        """The widgets of the page for setting up."""
        return self.page.setup.section.ui

    def sees(self, widget: Any) -> bool:
        """Whether the widget is shown, as soon as the panel is."""
        return bool(widget.isVisibleTo(self.module.frame))

    def settled(self) -> None:
        """Wait until nothing is set up, planned or looked for."""
        self.until(lambda: not self.setup.wantsPoll and not self.setup.isBusy)

    @property
    def status(self) -> str:
        return str(self.ui.statusLabel.text)

    def settle(self, seconds: float = 0.05) -> None:
        """Let Slicer work for a moment, and however slow it is, do what was put off."""
        import slicer

        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)
        for _ in range(5):
            slicer.app.processEvents()

    def load(self, name: str = "hippocampus_033") -> Any:
        """Load a hippocampus and choose it."""
        import slicer

        volume = slicer.util.loadVolume(str(HIPPOCAMPUS / "images" / f"{name}.nii.gz"))
        self.page.parameters.inputVolume = volume
        return volume

    def ready(self) -> Any:
        """A volume and cDAL chosen, the worker there; one sample, so that a run is short."""
        volume = self.load()
        self.page.parameters.method = "cdal"
        self.page.parameters.samples = 1
        self.until(lambda: self.page.link.hello is not None)
        self.until(lambda: self.ui.segmentButton.enabled)
        return volume

    def startLong(self) -> None:
        """Press Segment for a run that does not end before it is stopped."""
        self.page.parameters.samples = 500
        self.page.parameters.parametersJson = '{"cdal": {"tolerance": 0.0}}'
        self.ui.segmentButton.click()
        self.until(lambda: self.ui.progressBar.value > 0)

    def finished(self) -> list[Any]:
        """The list that results go to from now on."""
        results: list[Any] = []
        self.page.outliner.finished.connect(results.append)
        return results


@pytest.fixture(scope="session")
def workers() -> Iterator[dict[str, Any]]:
    """The one worker, made when first needed."""
    made: dict[str, Any] = {}
    yield made
    for client in made.values():
        client.close()


def share_workers(workers: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages use one worker per command, which outlives them."""
    from DiffusionSegPanel import page, worker_settings

    def lasting(command: str) -> Lasting:
        if not command and worker_settings.environmentInUse() is not None:
            return Moved(worker_settings.createClient(command))
        if command not in workers:
            workers[command] = worker_settings.createClient(command)
        return Lasting(workers[command])

    monkeypatch.setattr(page, "createClient", lasting)


@pytest.fixture
def swift(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test presses a button faster than anybody, and means it."""
    from DiffusionSegPanel import run_section

    monkeypatch.setattr(run_section, "_BLINK_S", 0.0)


@pytest.fixture
def opened(
    scene: Any,
    swift: None,
    probed_once: None,
    workers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[OpenedPage]:
    """The module, opened on an empty scene. An error in the log fails the test."""
    from Testing.Harness.boot import openModule

    share_workers(workers, monkeypatch)
    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    yield OpenedPage(module)
    module.close()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]


class ScriptedPage(OpenedPage):
    """The module with workers that answer when the test says so. Nothing arrives by itself: `poll`
    takes in what the test let them answer."""

    def __init__(self, module: Any, clients: list[ScriptedClient]) -> None:
        super().__init__(module)
        self.clients = clients

    @property
    def client(self) -> ScriptedClient:
        """The one that the page uses, or used last."""
        return self.clients[-1]

    def poll(self) -> None:
        """What the page's timer does."""
        self.page.poll()

    def answer(self, kind: str, value: object = None) -> None:
        """The worker answers its latest request of that kind, and the page hears of it."""
        self.client.answer(kind, value)
        self.poll()

    def fail(self, kind: str, sentence: str = "It failed.") -> None:
        """The same, with a failure."""
        self.client.fail(kind, WorkerError(sentence))
        self.poll()

    def describe(self) -> None:
        """The worker says what it offers."""
        self.answer("describe", catalogue())

    def answered(self) -> None:
        """It says that and, where it is asked, what it computes with."""
        self.describe()
        if self.client.asked("hello"):
            self.answer("hello", hello())

    def segment(self, scene: Any) -> Any:
        """A small volume is chosen, and Segment pressed; returns the volume."""
        from Testing.Slicer.Panel.toy_results import toyVolume

        node = toyVolume(self, scene)
        self.page.parameters.method = "cdal"
        self.answered()
        self.ui.segmentButton.click()
        return node

    def outline(self, node: Any, kind: str = "propose") -> None:
        """The run under way ends with an outline of the volume."""
        self.answer(kind, proposal(node))


@pytest.fixture
def scripted(
    scene: Any, swift: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[ScriptedPage]:
    """The module, opened on an empty scene; what its workers answer is the test's."""
    from DiffusionSegPanel import page
    from Testing.Harness.boot import openModule

    clients: list[ScriptedClient] = []

    def make(_command: str) -> ScriptedClient:
        clients.append(ScriptedClient())
        return clients[-1]

    monkeypatch.setattr(page, "createClient", make)
    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    yield ScriptedPage(module, clients)
    module.close()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]
