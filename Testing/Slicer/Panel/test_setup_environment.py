"""An environment of its own, really built from tiny wheels, stopped, mended and used."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from DiffusionSegLib.environments.isolated import default_environment


def choose_wheels(opened: Any, wheels: Path) -> Any:
    ui = opened.setupUi
    ui.textCheckBox.checked = ui.hubCheckBox.checked = False
    ui.wheelsCheckBox.checked = True
    ui.wheelsEdit.setCurrentPath(str(wheels))
    opened.settled()
    return ui


def started(opened: Any, wheels: Path) -> Any:
    """Install was pressed, and pip is at work."""
    ui = choose_wheels(opened, wheels)
    ui.installButton.click()
    opened.until(lambda: "pip" in ui.setupStatusLabel.text, 120)
    return ui


def test_it_is_built_and_the_worker_moves_there(fresh: None, opened: Any, wheels: Path) -> None:
    seen: list[str] = []
    opened.setup.work.progressed.connect(lambda report: seen.append(report.stage))
    ui = choose_wheels(opened, wheels)
    assert str(wheels) in ui.planLabel.text
    ui.installButton.click()
    assert not opened.sees(ui.installButton)
    assert opened.sees(ui.setupStopButton)
    assert opened.sees(ui.setupProgressBar)
    assert not ui.isolatedRadio.enabled
    assert not ui.wheelsEdit.enabled
    opened.until(lambda: not opened.setup.isBusy, 120)
    environment = default_environment()
    assert environment.state == "ready"
    assert ui.setupResultLabel.text == f"Ready: the worker runs in {environment.folder}."
    assert any("torch" in stage for stage in seen), seen
    assert ui.setupProgressBar.value > 0
    assert opened.page.link.client.client.command == environment.command()
    opened.page.link.needHello()
    opened.until(lambda: opened.page.link.hello is not None)
    assert Path(opened.page.link.hello.python) == environment.python
    assert opened.ui.workerUsedLabel.text == "Uses an environment of its own"
    assert opened.ui.workerUsedLabel.toolTip == str(environment.folder)
    assert not opened.sees(ui.installButton), "only the sentence stays"
    ui.setupCloseButton.click()
    assert not opened.sees(opened.ui.setupPlaceholder)


def test_leaving_the_module_and_closing_the_scene_do_not_stop_it(
    fresh: None, opened: Any, wheels: Path, scene: Any
) -> None:
    started(opened, wheels)
    scene.Clear(0)
    opened.module.exit()
    assert opened.setup.isBusy
    assert opened.page.timer.active
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert default_environment().state == "ready"
    assert opened.page.link.client.client.command == default_environment().command()
    opened.until(lambda: not opened.page.timer.active)
    opened.module.enter()
    opened.until(lambda: opened.page.link.catalogue is not None)


@pytest.mark.parametrize("moment", ["at once", "with pip", "at the end"])
def test_stop_at_any_moment(
    fresh: None, opened: Any, wheels: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is built waits there for the press, however slow the page is."""
    from DiffusionSegPanel import background

    word = {"at once": "Looking", "with pip": "pip", "at the end": "worker"}[moment]
    reached, pressed, real = threading.Event(), threading.Event(), background._Run._hear

    def hear(run: Any, report: Any) -> None:
        real(run, report)
        if word in report.stage:
            reached.set()
            pressed.wait(120)

    ui = choose_wheels(opened, wheels)
    monkeypatch.setattr(background._Run, "_hear", hear)
    ui.installButton.click()
    opened.until(reached.is_set, 120)
    ui.setupStopButton.click()
    pressed.set()
    assert ui.setupStatusLabel.text == "Stopping"
    opened.until(lambda: not opened.setup.isBusy)
    assert ui.setupResultLabel.text.startswith("Stopped.")
    assert default_environment().state in ("absent", "incomplete")
    opened.until(lambda: opened.page.link.client is not None)
    opened.settled()
    if default_environment().state == "incomplete":
        assert "its installation was stopped" in opened.setup.findings.shown(False)[0].sentence
        assert opened.sees(opened.setup.section.rows.buttons["environment-incomplete"])
    assert opened.sees(ui.installButton)


def test_slicer_closes_meanwhile(
    fresh: None, opened: Any, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    from DiffusionSegPanel import background

    monkeypatch.setattr(background, "_PATIENCE_S", 60.0)  # for a computer under load
    started(opened, wheels)
    slicer.app.aboutToQuit.emit()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("DiffusionSeg")], names
    assert default_environment().state == "incomplete"


def test_the_page_is_reloaded_meanwhile_and_goes_on(fresh: None, opened: Any, wheels: Path) -> None:
    started(opened, wheels)
    opened.module.reload()
    assert not opened.setup.isBusy
    rows = opened.setup.section.rows
    assert opened.sees(rows.buttons["environment-incomplete"])
    opened.settled()
    rows.buttons["environment-incomplete"].click()
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert default_environment().state == "ready"


def test_what_fails_is_a_sentence(fresh: None, opened: Any, wheels: Path) -> None:
    ui = choose_wheels(opened, wheels)
    next(wheels.glob("rich-*")).write_bytes(b"no wheel")
    ui.installButton.click()
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert "rich" in ui.setupResultLabel.text
    assert opened.sees(ui.setupResultLabel)
    assert default_environment().state == "incomplete"


def test_a_typed_command_gives_way(environment: Any, opened: Any, wheels: Path) -> None:
    import sys

    opened.ui.workerEdit.text = sys.executable
    opened.ui.workerEdit.editingFinished.emit()
    opened.ui.setupButton.click()
    ui = choose_wheels(opened, wheels)
    assert f"in place of the worker command in Settings ({sys.executable})" in ui.planLabel.text
    ui.installButton.click()
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert opened.page.settings.command == ""
    assert opened.ui.workerEdit.text == ""


def test_an_extra_is_added(environment: Any, opened: Any, wheels: Path) -> None:
    opened.setup.open("text")
    ui = opened.setupUi
    opened.settled()
    ui.hubCheckBox.checked = False
    ui.wheelsCheckBox.checked = True
    ui.wheelsEdit.setCurrentPath(str(wheels))
    opened.until(lambda: ui.installButton.enabled)
    client = opened.page.link.client
    ui.installButton.click()
    assert opened.page.link.client is None, "the worker is stopped before"
    assert opened.ui.segmentButton.toolTip == "DiffusionSeg is being set up."
    opened.module.exit()
    opened.module.enter()
    assert opened.page.link.client is None, "and not started before the end"
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert environment.marker.extras == ("text",)
    assert opened.page.link.client not in (None, client)
    assert ui.installButton.toolTip == "Everything that is chosen is installed; Repair mends it."


def test_repair_keeps_what_is_good(environment: Any, opened: Any, wheels: Path) -> None:
    good = environment.site_packages / "safetensors-0.8.0.dist-info" / "METADATA"
    torch = environment.site_packages / "torch" / "__init__.py"
    torch.unlink()
    kept = good.stat().st_mtime_ns
    opened.page.link.needHello()
    opened.until(lambda: opened.page.link.hello is not None)
    opened.until(lambda: "torch-half-installed" in opened.setup.section.rows.buttons)
    assert not opened.ui.noticeFrame.isVisibleTo(opened.module.frame), "it is said once"
    ui = choose_wheels(opened, wheels)
    ui.repairButton.click()
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert ui.setupResultLabel.text.startswith("Ready")
    assert torch.is_file()
    assert good.stat().st_mtime_ns == kept
    opened.page.link.needHello()
    opened.until(lambda: opened.page.link.hello is not None)
    assert opened.page.link.hello.problem is None
    assert not opened.setup.section.rows.buttons
