"""Setting up, trying a worker and what is found of Python, in every order."""

from __future__ import annotations

from typing import Any

import pytest

from DiffusionSegLib.environments.finding import Finding, Remedy
from Testing.Library.worker.scripted import DEVICES, hello

BROKEN = Finding("python-broken", "Its Python is broken.", Remedy.CREATE_ENVIRONMENT, True)


class Looks:
    """In place of a thread: a look ends when a test says so. found: what a whole look finds; one
    for a GPU finds nothing, as on a computer without."""

    def __init__(self) -> None:
        self.found: tuple[Finding, ...] = ()
        self.isRunning = False

    def start(self, look: Any, ended: Any) -> None:
        self.isRunning, self._look, self._ended = True, look, ended

    def drop(self) -> None:
        self.isRunning = False

    def poll(self) -> None:
        """Nothing ends by itself."""

    def end(self) -> None:
        from DiffusionSegPanel.background import Outcome

        assert self.isRunning, "nobody looks"
        self.isRunning = False
        self._ended(Outcome(self._look(None)))


@pytest.fixture
def looks(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> Looks:
    from DiffusionSegPanel import setup_work

    made = Looks()
    monkeypatch.setattr(setup_work, "pythonFindings", lambda *_place: made.found)
    monkeypatch.setattr(setup_work, "gpuFindings", lambda *_place: ())
    scripted.setup.findings._background = made
    return made


def test_what_the_user_looks_for_is_not_lost_when_the_worker_answers(
    scripted: Any, looks: Looks
) -> None:
    """The worker knows no GPU, and this computer has none: only part of it was looked at then."""
    looks.found = (BROKEN,)
    scripted.setup.open()
    scripted.page.link.needHello()
    scripted.describe()
    scripted.answer("hello", hello(DEVICES[:1]))
    looks.end()
    assert "python-broken" in scripted.setup.section.rows.buttons


def test_what_was_found_while_the_worker_failed_is_looked_for_again(
    scripted: Any, looks: Looks
) -> None:
    """A Python that took too long under load answers after all."""
    scripted.client.worker.end("The worker said nothing.")
    scripted.poll()
    looks.found = (BROKEN,)
    looks.end()
    assert scripted.sees(scripted.ui.setupPlaceholder)
    scripted.page.link.needHello()
    scripted.page.keeper.restart()
    scripted.answered()
    looks.found = ()
    looks.end()
    assert not scripted.sees(scripted.ui.setupPlaceholder)


def test_a_worker_with_a_gpu_gives_no_reason_to_look(scripted: Any, looks: Looks) -> None:
    scripted.page.link.needHello()
    scripted.answered()
    assert not looks.isRunning


def test_stop_stays_pressed_whatever_else_is_shown(
    scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DiffusionSegLib.progress import ProgressReport
    from DiffusionSegPanel import setup_work

    def build(_environment: Any, _extras: Any, _wheels: Any, progress: Any) -> None:
        while True:
            progress.check()

    monkeypatch.setattr(setup_work, "build", build)
    setup, ui = scripted.setup, scripted.setupUi
    setup._build(())
    assert ui.setupStopButton.enabled
    ui.setupStopButton.click()
    setup.refresh()
    setup.section.progress(ProgressReport(0.5, "Installing", 1.0, None))
    assert not ui.setupStopButton.enabled
    assert ui.setupStatusLabel.text == "Stopping"
    scripted.until(lambda: not setup.isBusy)
    assert ui.setupResultLabel.text.startswith("Stopped.")


def test_setting_up_begins_while_a_worker_is_tried(scripted: Any) -> None:
    ui, setup = scripted.ui, scripted.setup
    ui.workerTestButton.click()
    tried = scripted.client
    assert not ui.workerTestButton.enabled
    setup._stopWorker()
    assert tried.is_closed
    assert ui.workerTestButton.enabled, "else it can never be pressed again"
    assert ui.workerResultLabel.text == "DiffusionSeg is being set up."
    count = len(scripted.clients)
    ui.workerTestButton.click()
    assert len(scripted.clients) == count, "its files are being changed"
    assert ui.workerTestButton.enabled
    setup._end("Ready.")
    ui.workerTestButton.click()
    assert len(scripted.clients) == count + 2, "the page's and the one that is tried"


def test_what_was_tried_before_is_not_said_of_the_command_that_is_there_now(scripted: Any) -> None:
    ui = scripted.ui
    ui.workerTestButton.click()
    tried = scripted.client
    ui.workerEdit.text = "another --command"
    ui.workerEdit.editingFinished.emit()
    tried.answer("hello", hello())
    tried.poll()
    scripted.poll()
    assert ui.workerResultLabel.text == ""
    assert tried.is_closed


def test_a_worker_that_is_tried_answers_after_the_module_was_left(scripted: Any) -> None:
    ui = scripted.ui
    ui.workerTestButton.click()
    tried = scripted.client
    scripted.module.exit()
    scripted.poll()
    assert scripted.page.timer.active
    tried.answer("hello", hello())
    scripted.poll()
    assert ui.workerResultLabel.text.startswith("Works")
    assert tried.is_closed
    scripted.poll()
    assert not scripted.page.timer.active


def test_the_manager_lists_its_extensions_again_while_it_downloads_one(scripted: Any) -> None:
    """The user opens the Extensions Manager to see how far it is."""
    import slicer

    extension, manager = scripted.setup.extension, slicer.app.extensionsManagerModel()
    said: list[str] = []
    extension.said.connect(said.append)
    manager._answers = False  # it does when the test says so
    extension.install()
    manager._list()
    manager._served = set()  # it is asked for no second time
    manager._list()
    assert extension.isInstalling
    scripted.until(lambda: not extension.isInstalling)
    assert said[-1].startswith("The extension PyTorch is installed.")
    assert len(said) == 3


def test_setting_up_ends_while_an_outline_is_made(scripted: Any, scene: Any) -> None:
    """On a worker that did not have to stop for it: the next run is done by the new one."""
    scripted.page.settings.command = "python worker"
    scripted.page.settingsSection.showCommand()
    node = scripted.segment(scene)
    old = scripted.client
    scripted.page.settings.command = ""  # the environment that was made takes its place
    scripted.setup._end("Ready.")
    assert scripted.ui.workerEdit.text == "", "else leaving the field would bring it back"
    assert scripted.page.outliner.isBusy
    assert not old.is_closed
    scripted.outline(node)
    assert scripted.page.result.shown is not None
    assert old.is_closed
    assert scripted.client is not old
    scripted.describe()
    assert scripted.ui.segmentButton.enabled


@pytest.mark.parametrize("end", ["stop", "fail"])
def test_setting_up_ends_while_an_outline_is_made_that_comes_to_nothing(
    scripted: Any, scene: Any, end: str
) -> None:
    scripted.segment(scene)
    old = scripted.client
    scripted.setup._end("Ready.")
    if end == "stop":
        scripted.ui.segmentButton.click()
        assert scripted.status == "Stopped."
    else:
        scripted.fail("propose", "It failed.")
        assert scripted.status == "It failed."
    assert old.is_closed
    assert scripted.client is not old


def test_no_other_worker_starts_when_the_page_goes(scripted: Any, scene: Any) -> None:
    scripted.segment(scene)
    count = len(scripted.clients)
    scripted.setup._end("Ready.")
    scripted.widget.cleanup()
    assert len(scripted.clients) == count
