"""Removing: what would go is listed first, and goes with a second press only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's data folder with a licence that was accepted and a model that was fetched."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DIFFUSIONSEG_MODELS", raising=False)
    return tmp_path / "data"


def ask(opened: Any, name: str) -> str:
    """First press; returns what is listed."""
    button = getattr(opened.setupUi, name)
    assert button.enabled
    button.click()
    opened.until(lambda: not opened.setup.isBusy)
    assert opened.sees(opened.setupUi.confirmButton)
    return str(opened.setupUi.removalLabel.text)


def test_the_environment_goes_with_two_presses(environment: Any, opened: Any) -> None:
    opened.ui.setupButton.click()
    opened.settled()
    words = ask(opened, "removeButton")
    assert str(environment.folder) in words
    assert "kB" in words or "MB" in words
    assert environment.state == "ready", "nothing is deleted yet"
    opened.setupUi.confirmButton.click()
    assert opened.page.link.client is None, "the worker is stopped before"
    opened.until(lambda: not opened.setup.isBusy)
    assert environment.state == "absent"
    assert not environment.folder.exists()
    assert opened.setupUi.setupResultLabel.text.startswith("Deleted: ")
    assert not opened.sees(opened.setupUi.confirmButton)
    assert not opened.setupUi.removeButton.enabled
    opened.until(lambda: opened.page.link.catalogue is not None)
    assert opened.ui.workerUsedLabel.text == "Uses Slicer's own Python"
    opened.settled()


def test_keep_deletes_nothing(environment: Any, opened: Any) -> None:
    opened.ui.setupButton.click()
    opened.settled()
    ask(opened, "removeButton")
    opened.setupUi.keepButton.click()
    assert not opened.sees(opened.setupUi.confirmButton)
    opened.settle(0.2)
    assert environment.state == "ready"
    opened.setup.section.confirmed.emit()
    opened.settle(0.2)
    assert environment.state == "ready", "a press on what is hidden does nothing"


def test_everything_goes_with_two_presses(environment: Any, opened: Any, own_data: Path) -> None:
    import slicer

    from DiffusionSegLib.environments.removal import removable

    settings = slicer.app.userSettings()
    settings.setValue("Other/Key", "stays")
    opened.page.settings.device = "cpu"
    opened.page.settings.remember("the left kidney")
    opened.page.settings.putAside = {"torch-cpu-only"}
    opened.ui.setupButton.click()
    opened.settled()
    words = ask(opened, "removeAllButton")
    for item in removable():
        assert item.title in words
        assert str(item.path) in words
    assert "Also the settings of DiffusionSeg" in words
    assert "What stays: the extension itself, and packages in Slicer's own Python" in words
    assert "safetensors" in words
    assert environment.state == "ready"
    opened.setupUi.confirmButton.click()
    opened.until(lambda: not opened.setup.isBusy)
    assert environment.state == "absent"
    assert removable() == ()
    assert [key for key in settings.allKeys() if key.startswith("DiffusionSeg")] == []
    assert settings.value("Other/Key") == "stays"
    assert opened.page.settings.history() == []
    result = opened.setupUi.setupResultLabel.text
    assert result.startswith("Deleted: ")
    assert "pip_uninstall" in result
    opened.until(lambda: opened.page.link.catalogue is not None)
    opened.settled()


def test_what_cannot_be_deleted_is_a_sentence(
    environment: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DiffusionSegLib.errors import OutputError
    from DiffusionSegPanel import setup_work

    opened.ui.setupButton.click()
    opened.settled()
    ask(opened, "removeButton")

    def fail(*_given: Any) -> int:
        raise OutputError("The file python is in use; close what uses it.")

    monkeypatch.setattr(setup_work, "remove", fail)
    opened.setupUi.confirmButton.click()
    opened.until(lambda: not opened.setup.isBusy)
    assert opened.setupUi.setupResultLabel.text == "The file python is in use; close what uses it."
    opened.until(lambda: opened.page.link.client is not None)
    opened.settled()


def test_a_choice_takes_the_question_back(environment: Any, opened: Any, wheels: Path) -> None:
    """Something else is begun: the old question would be about what is no longer so."""
    opened.ui.setupButton.click()
    opened.settled()
    ask(opened, "removeButton")
    opened.setupUi.textCheckBox.checked = False
    opened.setupUi.wheelsCheckBox.checked = True
    opened.setupUi.wheelsEdit.setCurrentPath(str(wheels))
    opened.settled()
    opened.setupUi.repairButton.click()
    assert not opened.sees(opened.setupUi.confirmButton)
    opened.until(lambda: not opened.setup.isBusy, 120)
    assert environment.state == "ready"
