"""The full check: a real doctor, commands that are none, and who ends it before its end."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from Testing.Library.worker.toys import children, is_alive, wait_until
from Testing.Slicer.Panel.conftest import ROOT
from Testing.Slicer.Panel.test_first_open import WIDTH, text_widgets, wanted_width

# A child in a session of its own, as the doctor's worker is, and no end.
HANGING = (
    "import subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'],"
    " start_new_session=True)\n"
    "print('  7 %  Worker', file=sys.stderr, flush=True)\n"
    "time.sleep(60)\n"
)


class Checked:
    """The page with its settings open, and what a user does there."""

    def __init__(self, opened: Any, folder: Path) -> None:
        self.opened, self.ui, self.check = opened, opened.ui, opened.page.check
        self._script = folder / "toy.py"
        opened.until(lambda: opened.page.link.catalogue is not None)
        opened.ui.settingsSection.collapsed = False
        self._seen: set[int] = set()

    def use(self, command: str) -> None:
        """As if it had been typed in an earlier session; no worker is started by it."""
        self.opened.page.settings.command = command

    def useToy(self, code: str) -> None:
        """A command that does this in place of a doctor."""
        self._script.write_text(code)
        self.use(f'"{sys.executable}" -S "{self._script}" worker')

    def press(self) -> None:
        self.ui.fullCheckButton.click()

    def end(self) -> str:
        """Wait for it; the verdict."""
        self.opened.until(lambda: not self.check.isRunning)
        return str(self.ui.checkVerdictLabel.text)

    def hang(self) -> None:
        """A check is under way that does not end by itself."""
        self.useToy(HANGING)
        self.press()
        self.opened.until(lambda: "Worker" in self.ui.checkStatusLabel.text)
        assert self.see() == 2

    def see(self) -> int:
        """How many processes there are of it now; whether they go is asked later."""
        for pid in children():
            with suppress(OSError):  # it has ended meanwhile
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                self._seen |= {pid, *children(pid)} if b"doctor" in words else set()
        return len(self._seen)

    def isGone(self) -> bool:
        """Whether none of those that were seen is left; a process that is killed needs a moment to
        go, and none of these would end by itself."""
        wait_until(lambda: not any(is_alive(pid) for pid in self._seen), 5)
        return bool(self._seen)

    @property
    def report(self) -> str:
        return str(self.ui.checkReportText.plainText)


@pytest.fixture
def checked(opened: Any, tmp_path: Path) -> Checked:
    return Checked(opened, tmp_path)


def test_a_real_check(checked: Checked) -> None:
    import qt

    opened, ui = checked.opened, checked.ui
    volume = opened.load()
    opened.until(lambda: opened.page.link.hello is not None)
    assert not opened.sees(ui.checkWidget)
    assert "about half a minute" in ui.fullCheckButton.toolTip
    checked.check.options = ("--no-run",)
    said: list[str] = []
    checked.check._work.progressed.connect(lambda _report: said.append(ui.checkStatusLabel.text))
    checked.press()
    assert (ui.fullCheckButton.text, ui.fullCheckButton.enabled) == ("Stop check", True)
    assert opened.sees(ui.checkProgressBar)
    assert opened.sees(ui.checkStatusLabel)
    assert not opened.sees(ui.checkReportText)
    verdict = checked.end()
    assert verdict == "Nothing wrong was found; the worker and the samples were not tried."
    assert any(words.startswith("Models: ") for words in said), said
    assert ui.fullCheckButton.text == "Full check"
    assert opened.sees(ui.checkReportText)
    assert not opened.sees(ui.checkProgressBar)
    assert not opened.sees(ui.checkStatusLabel)
    report = checked.report
    assert report.startswith("DiffusionSeg 0")
    for part in ("Slicer 5.12", "Device cpu", "\nThe worker's Python\n", "Everything works."):
        assert part in report, part
    assert volume.GetName() not in report
    assert ui.checkReportText.readOnly
    ui.checkCopyButton.click()
    assert qt.QApplication.clipboard().text() == report
    assert ui.checkCopyButton.text == "Copied to the clipboard"
    ui.checkCloseButton.click()
    assert not opened.sees(ui.checkWidget)
    assert ui.fullCheckButton.enabled


PLANTED = {
    "user": "ottilieq",
    "host": "ward7scanner",
    "patient": "Mustermann^Erika",
    "token": "hf_plantedToken",
    "proxy host": "proxy.klinik.example",
    "folder": "geheimstation",
    "typed host": "klinik-gpu",
    "typed user": "dr.meier",
}


def test_nothing_private_is_in_the_report(
    checked: Checked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrapper is the worker command, models are damaged in a folder that names a patient, and the
    worker has written a name."""
    models = tmp_path / PLANTED["folder"] / PLANTED["patient"] / "models"
    (models / "cdal" / "bad").mkdir(parents=True)
    (models / "cdal" / "bad" / "model.json").write_text("{")
    shutil.copytree(ROOT / "Resources/Models/cdal/nuclei", models / "cdal" / "nuclei")
    home = tmp_path / "home" / PLANTED["user"]
    home.mkdir(parents=True)
    for name, value in {
        "HOME": str(home),
        "USER": PLANTED["user"],
        "LOGNAME": PLANTED["user"],
        "HOSTNAME": PLANTED["host"],
        "DIFFUSIONSEG_MODELS": str(models),
        "DIFFUSIONSEG_ENVIRONMENT": str(tmp_path / PLANTED["folder"] / "environment"),
        "HF_TOKEN": PLANTED["token"],
        "HTTPS_PROXY": f"http://{PLANTED['user']}:x@{PLANTED['proxy host']}:80",
    }.items():
        monkeypatch.setenv(name, value)
    volume = checked.opened.load()
    volume.SetName(PLANTED["patient"])
    client = checked.opened.page.link.client
    monkeypatch.setattr(type(client), "last_log", PLANTED["patient"], raising=False)
    where = f"GOAL={PLANTED['typed user']}@{PLANTED['typed host']}"
    checked.use(f'env {where} "{sys.executable}" -m DiffusionSegLib.cli.main worker')
    checked.check.options = ("--no-run",)
    checked.press()
    verdict = checked.end()
    assert "model.json" in verdict
    assert verdict.startswith("One thing is wrong: "), verdict
    report = checked.report
    leaked = [name for name, value in PLANTED.items() if value.lower() in report.lower()]
    assert leaked == [], report
    for told in ("Worker command: env <name>", "<models folder>/cdal/bad/model.json", "HF_TOKEN"):
        assert told in report, report


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("", "chosen by itself"),
        ("ssh dr.meier@klinik-gpu diffusionseg worker", "ssh <name>@<name> diffusionseg worker"),
        (
            "ssh -p 2222 -J gate mr1 'nice diffusionseg worker'",
            "-J <name> <name> 'nice diffusionseg",
        ),
        (
            "docker run --gpus all -e TOKEN=abc img diffusionseg worker",
            "--gpus all -e <name>=<name>",
        ),
        ("/srv/praxis/meier/env/bin/python", "/.../python"),
    ],
)
def test_a_typed_command_keeps_its_form_and_loses_its_names(
    scene: Any, command: str, shown: str
) -> None:
    from DiffusionSegLib.doctor.examination import Examination
    from DiffusionSegPanel.check_report import checkReport

    own = f"Worker command: {command or 'chosen by itself'}\n"
    text = "Devices\n  cpu: all of it, usable\n\nEverything works.\n"
    report = checkReport(own, command, Examination((), text), None)
    assert shown in report
    assert report.endswith(text)


def test_a_command_that_does_not_exist(checked: Checked) -> None:
    checked.use("/no/such/python")
    checked.press()
    verdict = checked.end()
    assert "'/no/such/python -m DiffusionSegLib.cli.main doctor' cannot be started" in verdict
    assert verdict.endswith("correct the worker command in the settings.")
    assert checked.report.startswith("DiffusionSeg 0")
    assert "made no report" in checked.report


def test_one_that_does_not_end_with_worker_is_explained(checked: Checked) -> None:
    checked.use("ssh klinik-gpu start-diffusionseg")
    checked.press()
    assert not checked.check.isRunning
    assert "does not end with the word worker" in checked.ui.checkVerdictLabel.text
    assert "klinik" not in checked.report
    assert checked.ui.fullCheckButton.text == "Full check"
    frame = checked.opened.module.frame
    frame.resize(WIDTH, 1400)
    frame.show()
    checked.opened.settle()
    assert frame.size.width() == WIDTH
    texts = text_widgets(checked.ui.checkWidget)
    assert len(texts) == 2
    assert [one.text for one in texts if one.width < wanted_width(one)] == [], "none is cut off"


def test_one_that_cannot_be_read(checked: Checked) -> None:
    checked.use('python "unfinished')
    checked.press()
    assert "close every quotation mark" in checked.ui.checkVerdictLabel.text


def test_one_that_crashes(checked: Checked) -> None:
    checked.useToy("import os, sys; print('Oh.', file=sys.stderr, flush=True); os.abort()")
    checked.press()
    verdict = checked.end()
    assert "ended without a report" in verdict
    assert "SIGABRT" in verdict
    assert "its last words: Oh." in verdict
    checked.useToy("""print('{"problems": [], "text": "Fine.", "complete": true}')""")
    checked.press()
    assert checked.end().startswith("All is well"), "the next one is another one"
    assert checked.report.endswith("Fine.")


def test_where_something_is_wrong_setting_up_looks_what_it_can_mend(
    checked: Checked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "cdal" / "bad").mkdir(parents=True)
    (tmp_path / "models" / "cdal" / "bad" / "model.json").write_text("{")
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "models"))
    checked.check.options = ("--no-run",)
    checked.opened.until(lambda: checked.opened.page.link.hello is not None)
    checked.opened.settled()
    looked: list[bool] = []
    checked.opened.setup.findings.changed.connect(lambda: looked.append(True))
    checked.press()
    assert checked.end().startswith("One thing is wrong: ")
    checked.opened.settled()
    assert looked == [True]
    assert checked.report.rstrip().endswith("or remove its folder.")


def test_our_own_python_that_fails_tells_helpers_why(
    checked: Checked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('no such luck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(
        "DiffusionSegPanel.full_check.foreign_environment",
        lambda _command: {**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    checked.press()
    assert "no such luck" in checked.end()
    assert "RuntimeError: no such luck" in checked.report
    assert str(tmp_path) not in checked.report


def test_one_that_hangs_is_stopped_with_all_that_it_started(checked: Checked) -> None:
    checked.hang()
    checked.press()
    assert not checked.ui.fullCheckButton.enabled
    assert checked.ui.checkStatusLabel.text == "Stopping"
    assert checked.end() == "The check was stopped."
    assert checked.isGone()
    assert checked.report == ""
    assert checked.ui.fullCheckButton.enabled
    assert checked.ui.fullCheckButton.text == "Full check"


def test_one_that_hangs_is_given_up(checked: Checked) -> None:
    checked.check.limitS = 4.0
    checked.hang()
    assert "did not end within 4 s while it looked at 'Worker'" in checked.end()
    assert checked.isGone()


def test_the_worker_that_a_real_check_started_ends_with_it(checked: Checked) -> None:
    checked.press()
    checked.opened.until(lambda: "Worker" in checked.ui.checkStatusLabel.text.partition(":")[0])
    checked.opened.until(lambda: checked.see() > 1)
    checked.press()
    assert checked.end() == "The check was stopped."
    assert checked.isGone()


@pytest.fixture
def scrolled(checked: Checked) -> Any:
    """The panel in a window that is lower than it, as Slicer's is; scrolled to the button."""
    import qt

    area = qt.QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(checked.opened.module.frame)
    area.resize(430, 400)
    area.show()
    checked.opened.settle()
    area.ensureWidgetVisible(checked.ui.fullCheckButton)
    yield area
    area.takeWidget()
    area.deleteLater()


def test_the_panel_scrolls_to_what_appears(checked: Checked, scrolled: Any) -> None:
    ui = checked.ui
    checked.hang()
    checked.opened.settle(0.3)
    assert not ui.checkProgressBar.visibleRegion().isEmpty()
    checked.press()
    checked.end()
    checked.opened.settle(0.3)
    assert not ui.checkVerdictLabel.visibleRegion().isEmpty()
    assert not ui.checkCloseButton.visibleRegion().isEmpty()


def test_who_has_turned_to_other_things_stays_there(checked: Checked, scrolled: Any) -> None:
    checked.hang()
    checked.opened.settle(0.3)
    scrolled.verticalScrollBar().setValue(0)
    checked.opened.settle(0.1)
    checked.press()
    checked.end()
    checked.opened.settle(0.3)
    assert scrolled.verticalScrollBar().value == 0


LEAVING: dict[str, Callable[[Any], None]] = {
    "left": lambda module: module.exit(),
    "closed": lambda module: module.close(),
    "reloaded": lambda module: module.reload(),
}


@pytest.mark.parametrize("way", LEAVING)
def test_it_ends_when_the_page_is(checked: Checked, way: str) -> None:
    checked.hang()
    LEAVING[way](checked.opened.module)
    assert checked.isGone()
    if way == "left":
        checked.opened.module.enter()
        assert "because the module was left" in checked.ui.checkVerdictLabel.text
        checked.opened.until(lambda: checked.ui.fullCheckButton.enabled)


def test_it_waits_for_a_run_and_gives_way_to_one(checked: Checked) -> None:
    opened, button = checked.opened, checked.ui.fullCheckButton
    opened.ready()
    opened.startLong()
    opened.until(lambda: not button.enabled)
    assert "An outline is being made" in button.toolTip
    assert button.toolTip.endswith("The check can be made when that has ended.")
    opened.ui.segmentButton.click()
    opened.until(lambda: button.enabled)
    checked.hang()
    opened.ui.segmentButton.click()
    opened.until(lambda: not checked.check.isRunning)
    assert checked.isGone()
    words = "The check was stopped: An outline is being made, which the check would slow down."
    assert checked.ui.checkVerdictLabel.text == words
    opened.ui.segmentButton.click()


def test_it_has_ended_before_files_change(fresh: None, installers: Any, checked: Checked) -> None:
    seen: list[bool] = []
    checked.hang()
    installers.then = lambda: seen.append(checked.isGone())
    checked.opened.setupUi.slicerRadio.click()
    checked.opened.setupUi.installButton.click()
    assert seen[0]
    checked.opened.settled()
    text = checked.ui.checkVerdictLabel.text
    assert text == "The check was stopped: DiffusionSeg is being set up."


def test_what_was_found_before_setting_up_is_not_shown_after_it(
    fresh: None, installers: Any, checked: Checked
) -> None:
    checked.useToy("""print('{"problems": ["No torch."], "text": "None.", "complete": true}')""")
    checked.press()
    assert checked.end() == "One thing is wrong: No torch."
    checked.use("")
    checked.opened.setupUi.slicerRadio.click()
    checked.opened.setupUi.installButton.click()
    checked.opened.settled()
    assert not checked.opened.sees(checked.ui.checkWidget)


def test_another_worker_command_takes_the_verdict_away(checked: Checked) -> None:
    checked.hang()
    checked.ui.workerEdit.text = ""
    checked.ui.workerEdit.editingFinished.emit()
    assert not checked.check.isRunning
    assert checked.isGone()
    assert not checked.opened.sees(checked.ui.checkWidget)
    assert checked.ui.fullCheckButton.text == "Full check"


@pytest.mark.parametrize(
    ("problems", "words"),
    [
        ((), "All is well: the worker, the models and a sample for each method were tried."),
        (("It is odd.",), "One thing is wrong: It is odd."),
        (("A.", "B."), "2 things are wrong, listed at the end of the report. The first: A."),
    ],
)
def test_verdicts(scene: Any, problems: tuple[str, ...], words: str) -> None:
    from DiffusionSegLib.doctor.examination import Examination
    from DiffusionSegPanel.check_words import verdict

    assert verdict(Examination(problems, "text")) == words
