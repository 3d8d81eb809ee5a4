"""A worker that is not there, or lacks something: a sentence and a way out, never a dialog."""

from __future__ import annotations

import sys
from typing import Any

WITHOUT_TORCH = (
    "import sys; sys.modules['torch'] = None; "
    "from DiffusionSegLib.cli.main import main; sys.exit(main(['worker']))"
)


def test_missing_torch_is_said_and_segment_waits(opened: Any) -> None:
    opened.ready()
    ui, page = opened.ui, opened.page
    ui.workerEdit.text = f'"{sys.executable}" -c "{WITHOUT_TORCH}"'
    ui.workerEdit.editingFinished.emit()
    opened.until(lambda: page.link.hello is not None)
    assert page.link.hello.torch is None
    assert "torch" in page.notice.text
    assert page.notice.text.endswith(".")
    assert ui.noticeFrame.isVisibleTo(opened.module.frame)
    assert ui.modelCombo.currentText == "Hippocampus (MR)", "what is offered is shown all the same"
    assert not ui.segmentButton.enabled
    assert ui.segmentButton.toolTip == page.notice.text
    page.settings.command = ""
    ui.noticeButton.click()
    opened.until(lambda: ui.segmentButton.enabled)
    assert not ui.noticeFrame.isVisibleTo(opened.module.frame)


def test_a_command_that_does_not_exist(opened: Any) -> None:
    opened.ready()
    ui, page = opened.ui, opened.page
    ui.workerEdit.text = "/no/such/python -m nothing"
    ui.workerEdit.editingFinished.emit()
    opened.until(lambda: page.notice.text)
    assert not ui.segmentButton.enabled
    assert page.settings.command == "/no/such/python -m nothing"
    ui.workerEdit.text = ""
    ui.workerEdit.editingFinished.emit()
    opened.until(lambda: ui.segmentButton.enabled)
    assert page.notice.text == ""


def test_what_is_found_of_python_leaves_the_failure_standing(opened: Any) -> None:
    opened.ready()
    ui, page = opened.ui, opened.page
    ui.workerEdit.text = "/no/such/python -m nothing"
    ui.workerEdit.editingFinished.emit()
    page.setup.findings.changed.emit()
    opened.until(lambda: page.notice.text)
    said = page.notice.text
    page.setup.findings.changed.emit()
    assert page.notice.text == said
    assert ui.segmentButton.toolTip == said, "nobody waits for a worker that failed"
    assert opened.status == said
    ui.workerEdit.text = ""
    ui.workerEdit.editingFinished.emit()
    assert page.notice.text == ""
    page.setup.findings.changed.emit()
    assert page.notice.text == ""
    opened.until(lambda: ui.segmentButton.enabled)


def test_a_command_that_cannot_be_read(opened: Any) -> None:
    opened.ready()
    opened.ui.workerEdit.text = 'python "unfinished'
    opened.ui.workerEdit.editingFinished.emit()
    assert opened.page.notice.text.endswith(".")
    assert opened.page.link.client is None
    assert not opened.ui.segmentButton.enabled


def test_the_test_button_says_what_a_worker_offers(opened: Any) -> None:
    ui = opened.ui
    ui.workerTestButton.click()
    assert not ui.workerTestButton.enabled
    opened.until(lambda: ui.workerTestButton.enabled)
    assert ui.workerResultLabel.text.startswith(f"Works: Python {sys.version_info.major}.")
    assert "torch" in ui.workerResultLabel.text
    ui.workerEdit.text = "/no/such/python"
    ui.workerTestButton.click()
    opened.until(lambda: ui.workerTestButton.enabled)
    assert "/no/such/python" in ui.workerResultLabel.text


def test_the_system_report_is_on_the_clipboard(opened: Any) -> None:
    import qt

    volume = opened.ready()
    opened.ui.reportButton.click()
    text = qt.QApplication.clipboard().text()
    for part in ("DiffusionSeg 0", "Slicer 5.12", "torch", "Device cpu", "Model cdal/hippocampus"):
        assert part in text, part
    assert volume.GetName() not in text
    assert opened.ui.reportButton.text == "Copied to the clipboard"


def test_a_report_without_a_worker(opened: Any) -> None:
    import qt

    opened.page.link.close()
    opened.ui.reportButton.click()
    assert "Worker: no answer yet" in qt.QApplication.clipboard().text()
