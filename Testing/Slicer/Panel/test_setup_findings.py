"""What is found to be wrong, each with its button, and what may be put aside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.finding import Finding, Remedy

DRIVER = NvidiaDriver("580.65", ("NVIDIA T4",), "13.0", ("7.5",))


@pytest.fixture
def computer(
    monkeypatch: pytest.MonkeyPatch, scene: Any, answers: list[Any]
) -> Callable[..., None]:
    """Decide what this computer has: a driver, and what its Python would answer a probe."""
    from DiffusionSegLib.environments.probing import Probe, probe

    def choose(driver: NvidiaDriver | None, **changes: Any) -> None:
        import dataclasses

        from DiffusionSegPanel import setup_work  # another one after a reload

        def probed(python: Any) -> Probe:
            if not answers:
                answers.append(probe(python))
            return dataclasses.replace(answers[0], **changes)

        monkeypatch.setattr(setup_work, "nvidia_driver", lambda: driver)
        monkeypatch.setattr(setup_work, "probe", probed)

    return choose


def found(opened: Any, code: str) -> Any:
    """The button that mends it, as soon as it is there."""
    opened.until(lambda: any(one.code == code for one in opened.setup.findings.shown(True)))
    button = opened.setup.section.rows.buttons[code]
    assert button.toolTip
    assert opened.sees(button)
    return button


TORCH_CPU = {"torch": "2.13.0+cpu", "torch_cuda": "", "cuda_works": False}
BROKEN = {"torch": None, "torch_problem": "libc10.so: file too short", "torch_files": True}


def test_half_installed_torch_is_replaced(computer: Any, installers: Any, opened: Any) -> None:
    computer(None, **BROKEN)
    opened.setup.open()
    button = found(opened, "torch-half-installed")
    assert button.text == "Replace torch"
    computer(None)  # afterwards all is well
    button.click()
    assert installers.calls == ["uninstallTorch", "installTorch >=2.4,<3"]
    opened.settled()
    assert not opened.setup.section.rows.buttons


def test_repair_in_slicers_python(computer: Any, installers: Any, opened: Any) -> None:
    computer(None, **BROKEN)
    opened.setup.open()
    found(opened, "torch-half-installed")
    opened.setupUi.repairButton.click()
    assert installers.calls[:2] == ["uninstallTorch", "installTorch >=2.4,<3"]
    assert installers.calls[2].startswith("pip_ensure numpy")
    opened.settled()


def test_without_the_extension_it_is_offered(computer: Any, opened: Any) -> None:
    computer(None, **BROKEN)
    opened.setup.open()
    button = found(opened, "torch-half-installed")
    assert button.text == "Install the PyTorch extension"
    button.click()
    opened.until(lambda: not opened.setup.isBusy)
    assert "Restart Slicer" in opened.setupUi.setupResultLabel.text
    opened.settled()


def test_a_torch_for_the_processor_on_a_computer_with_a_gpu(
    computer: Any, installers: Any, opened: Any
) -> None:
    """Said without being asked, since the worker found no GPU; and taken back."""
    computer(DRIVER, **TORCH_CPU)
    opened.load()
    button = found(opened, "torch-cpu-only")
    assert button.text == "Replace torch"
    assert not opened.sees(opened.setupUi.installButton), "only the finding"
    later = opened.setup.section.rows.later["torch-cpu-only"]
    assert later.text == "Not now"
    later.click()
    assert not opened.sees(opened.ui.setupPlaceholder)
    opened.module.reload()
    computer(DRIVER, **TORCH_CPU)
    opened.until(lambda: opened.page.link.hello is not None)
    opened.settled()
    assert not opened.sees(opened.ui.setupPlaceholder), "remembered"
    opened.ui.setupButton.click()
    found(opened, "torch-cpu-only")


def test_without_a_gpu_nothing_is_probed(
    computer: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DiffusionSegPanel import setup_work

    computer(None)
    asked: list[Any] = []
    monkeypatch.setattr(setup_work, "probe", asked.append)
    opened.load()
    opened.until(lambda: opened.page.link.hello is not None)
    opened.settled()
    assert asked == []


def test_an_old_driver_opens_its_page(
    computer: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt

    opened_pages: list[str] = []
    monkeypatch.setattr(
        qt.QDesktopServices, "openUrl", lambda url: opened_pages.append(url.toString())
    )
    computer(NvidiaDriver("450.00", ("NVIDIA T4",), "11.0", ("7.5",)), torch_cuda="13.0",
             torch="2.13.0+cu130", cuda_works=False, cuda_problem="too old")  # fmt: skip
    opened.load()
    button = found(opened, "driver-too-old")
    assert button.text == "Driver page"
    button.click()
    assert opened_pages == ["https://www.nvidia.com/drivers"]


def test_a_package_that_is_too_old(computer: Any, installers: Any, opened: Any) -> None:
    from DiffusionSegLib.environments.probing import probe
    from DiffusionSegLib.worker.command import default_command

    packages = {**probe([default_command()[0]]).packages, "safetensors": "0.1.0"}
    computer(None, packages=packages)
    opened.setup.open()
    button = found(opened, "package-too-old")
    assert button.text == "Install packages"
    button.click()
    assert installers.calls[0].startswith("pip_ensure numpy")
    opened.settled()


def test_an_outdated_environment(environment: Any, opened: Any, wheels: Path) -> None:
    """It is not used, and said; while Slicer's own Python does the work it may be put aside."""
    from dataclasses import replace

    from DiffusionSegLib.environments.marker import write_marker

    marker = environment.marker
    write_marker(environment.folder, replace(marker, packages={**marker.packages, "torch": "1.0"}))
    assert environment.state == "outdated"
    opened.module.exit()
    opened.module.enter()
    button = found(opened, "environment-outdated")
    assert button.text == "Repair"
    opened.setup.section.rows.later["environment-outdated"].click()
    assert not opened.sees(opened.ui.setupPlaceholder)
    opened.ui.setupButton.click()
    ui = opened.setupUi
    ui.textCheckBox.checked = False
    ui.wheelsCheckBox.checked = True
    ui.wheelsEdit.setCurrentPath(str(wheels))
    opened.settled()
    opened.setup.section.rows.buttons["environment-outdated"].click()
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert environment.state == "ready"
    assert not opened.page.settings.putAside, "the next one that is outdated is said again"


def test_a_worker_that_does_not_start(environment: Any, opened: Any, wheels: Path) -> None:
    """Its Python is broken: Repair makes it anew."""
    environment.python.unlink()
    environment.python.write_text("#!/bin/sh\nexit 3\n")
    environment.python.chmod(0o755)
    opened.page.keeper.restart()
    button = found(opened, "python-broken")
    assert opened.page.notice.text == "", "it is said once"
    ui = opened.setupUi
    ui.wheelsCheckBox.checked = True
    ui.wheelsEdit.setCurrentPath(str(wheels))
    ui.textCheckBox.checked = False
    opened.settled()
    button.click()
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert ui.setupResultLabel.text.startswith("Ready"), ui.setupResultLabel.text
    assert environment.state == "ready"


def test_what_is_said_of_missing_packages_is_said_once(
    computer: Any, hide: Any, opened: Any
) -> None:
    computer(None, torch=None)
    hide("rich")
    opened.module.exit()
    opened.module.enter()
    opened.settled()
    assert "rich" in opened.setupUi.setupIntroLabel.text
    codes = list(opened.setup.section.rows.buttons)
    assert "package-missing" not in codes and "torch-missing" not in codes
    hide()


@pytest.mark.parametrize("remedy", list(Remedy))
def test_every_remedy_has_one_button_or_none(scene: Any, remedy: Remedy) -> None:
    import qt

    from DiffusionSegPanel.finding_rows import FindingRows

    parent = qt.QWidget()
    rows = FindingRows(parent)
    finding = Finding("code", "Something is wrong; press the button.", remedy, True)
    asked: list[Finding] = []
    rows.mendRequested.connect(asked.append)
    rows.update([finding], canPostpone=True)
    assert not rows.later, "what blocks cannot be put aside"
    if remedy is Remedy.NOTHING:
        assert not rows.buttons
        return
    assert rows.buttons["code"].toolTip
    rows.buttons["code"].click()
    assert asked == [finding]


def test_a_page_that_closes_does_not_wait_for_a_probe(
    computer: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading
    import time

    from DiffusionSegPanel import setup_work

    wait = threading.Event()
    monkeypatch.setattr(setup_work, "probe", lambda _: wait.wait(120))
    opened.setup.open()
    before = time.monotonic()
    opened.widget.cleanup()
    assert time.monotonic() - before < 60
    wait.set()
