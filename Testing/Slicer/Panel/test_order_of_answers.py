"""What comes from the worker in every order: late, for something older, after a failure."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.errors import WorkerError
from Testing.Library.worker.scripted import hello
from Testing.Slicer.Panel.toy_results import toyVolume

PACKAGE = "The Python package transformers is missing; install DiffusionSeg[text]."
DEAD = "The worker stopped unexpectedly (exit code 1). The next request starts it again."


def test_a_late_answer_of_a_worker_that_was_replaced(scripted: Any) -> None:
    page, old = scripted.page, scripted.client
    page.keeper.restart()
    assert scripted.client is not old and old.is_closed
    assert page.outliner.client is scripted.client
    old.answer("describe", "of the old one")
    old.poll()
    assert page.link.catalogue is None
    scripted.describe()
    assert page.link.catalogue.methods


def test_a_worker_that_cannot_be_made_leaves_none_behind(
    scripted: Any, scene: Any, monkeypatch: Any
) -> None:
    """A command that cannot be read, while an outline is under way."""
    from DiffusionSegLib.errors import InputError

    def refuse(_command: str) -> Any:
        raise InputError("The command has no end.")

    scripted.segment(scene)
    monkeypatch.setattr(scripted.page.link, "_createClient", refuse)
    scripted.page.keeper.restart()
    assert not scripted.page.outliner.isBusy
    assert scripted.page.outliner.client is None
    assert scripted.ui.segmentButton.text == "Segment"
    assert scripted.page.notice.text == "The command has no end."


def test_a_worker_that_dies_before_it_said_what_it_computes_with(scripted: Any, scene: Any) -> None:
    """The next run starts it again; that it works now is seen, and it is asked anew."""
    node = toyVolume(scripted, scene)
    page, ui = scripted.page, scripted.ui
    page.parameters.method = "cdal"
    scripted.describe()
    scripted.client.worker.end(DEAD)
    scripted.poll()
    assert page.notice.text == DEAD
    asked = len(scripted.client.asked("hello"))
    page.refresh()
    assert len(scripted.client.asked("hello")) == asked, "it may be the question that kills it"
    ui.segmentButton.click()
    scripted.outline(node)
    assert page.notice.text == "", "it answered"
    assert len(scripted.client.asked("hello")) == asked + 1
    scripted.answer("hello", hello())
    assert ui.deviceCombo.count == 3


def test_coming_back_to_the_module_tries_a_worker_again_that_never_answered(scripted: Any) -> None:
    first = scripted.client
    first.worker.end(DEAD)
    scripted.poll()
    assert scripted.page.notice.text == DEAD
    scripted.module.exit()
    scripted.module.enter()
    assert scripted.client is not first
    assert scripted.page.notice.text == ""
    scripted.describe()
    assert scripted.ui.methodCombo.count


def test_what_is_found_of_python_leaves_the_offer_of_a_failed_run(
    scripted: Any, scene: Any
) -> None:
    scripted.segment(scene)
    page, ui = scripted.page, scripted.ui
    scripted.fail("propose", PACKAGE)
    assert page.notice.text == PACKAGE
    page.setup.findings.changed.emit()
    assert page.notice.text == PACKAGE
    assert scripted.sees(ui.noticeSetupButton)
    page.link.changed.emit()
    assert page.notice.text == PACKAGE
    ui.noticeSetupButton.click()
    assert page.notice.text == "", "it is followed"
    page.setup.findings.changed.emit()
    assert page.notice.text == ""
    assert scripted.setupUi.textCheckBox.checked


def test_a_run_that_ends_well_takes_the_offer_back(scripted: Any, scene: Any) -> None:
    node = scripted.segment(scene)
    scripted.fail("propose", PACKAGE)
    scripted.ui.segmentButton.click()
    assert scripted.page.notice.text == PACKAGE
    scripted.outline(node)
    assert scripted.page.notice.text == ""


def test_try_again_is_pressed_while_the_answer_is_on_its_way(scripted: Any) -> None:
    page, old = scripted.page, scripted.client
    page.link.failed.emit(WorkerError("It is slow."))
    old.answer("describe", "late")
    page.notice._onClicked()
    scripted.poll()
    old.poll()
    assert page.link.catalogue is None
    assert page.outliner.client is scripted.client is not old
    scripted.describe()
    assert page.notice.text == ""


def test_stop_while_the_answer_is_on_its_way(scripted: Any, scene: Any) -> None:
    from Testing.Slicer.Bridge.results import proposal

    node = scripted.segment(scene)
    results = scripted.finished()
    scripted.client.answer("propose", proposal(node))
    scripted.ui.segmentButton.click()
    scripted.poll()
    assert results == []
    assert scripted.page.result.shown is None
    assert scripted.status == "Stopped."


def test_a_request_that_cannot_be_made_ends_the_run_under_way(scripted: Any, scene: Any) -> None:
    """Else the page says that nothing runs, and shows its outline all the same."""
    node = scripted.segment(scene)
    page, results = scripted.page, scripted.finished()
    page.outliner.propose([], None, None)
    assert scripted.status.startswith("No volume is chosen")
    assert scripted.ui.segmentButton.text == "Segment"
    assert not page.outliner.isBusy
    scripted.outline(node)
    assert results == []
    assert scripted.status.startswith("No volume is chosen")
