"""When the page for setting up is shown, what it says, and what it remembers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from Testing.Slicer.Panel.conftest import ROOT, OpenedPage, share_workers
from Testing.Slicer.Panel.test_first_open import WIDTH, shown_controls, text_widgets, wanted_width


def test_it_is_hidden_where_nothing_is_missing(opened: Any) -> None:
    opened.until(lambda: opened.page.link.catalogue is not None)
    assert not opened.sees(opened.ui.setupPlaceholder)
    assert not opened.sees(opened.ui.noticeSetupButton)
    assert not opened.setup.findings.isRunning, "nobody needs to know"


def test_it_says_what_goes_where_how_large_it_is_and_why(fresh: None, opened: Any) -> None:
    ui = opened.setupUi
    assert opened.sees(ui.installButton)
    assert "torch and rich" in ui.setupIntroLabel.text
    assert sys.executable in ui.setupIntroLabel.text
    assert "Nothing is installed before" in ui.setupIntroLabel.text
    assert ui.isolatedRadio.checked
    assert "recommended" in ui.isolatedRadio.text
    opened.settled()
    text = ui.planLabel.text
    for part in ("environment", "MB are downloaded", "are free there", "It is made from Python"):
        assert part in text, text
    assert not opened.setup.isBusy, "nothing starts by itself"


def test_nothing_is_imported_to_see_it(
    fresh: None, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins

    read: list[str] = []
    real = builtins.__import__

    def noting(name: str, *rest: Any, **named: Any) -> Any:
        read.append(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", noting)
    opened.module.exit()
    opened.module.enter()
    assert not {"torch", "scipy", "safetensors", "rich"} & set(read)


def test_slicers_python_in_words(fresh: None, installers: Any, opened: Any) -> None:
    ui = opened.setupUi
    ui.slicerRadio.click()
    text = ui.planLabel.text
    assert f"Into {sys.executable}: about 208.0 MB are downloaded" in text
    assert "torch: It runs the networks that outline." in text
    assert "Slicer asks before." in text
    assert not opened.sees(ui.wheelsCheckBox)


def test_a_typed_command_is_the_users_own_affair(
    scene: Any, fresh: None, workers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    from Testing.Harness.boot import openModule

    share_workers(workers, monkeypatch)
    slicer.app.userSettings().setValue("DiffusionSeg/WorkerCommand", sys.executable)
    opened = OpenedPage(openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py"))
    assert not opened.sees(opened.ui.setupPlaceholder)
    opened.module.close()


def test_a_command_that_is_cleared_or_typed_changes_what_is_missing(
    fresh: None, opened: Any
) -> None:
    edit = opened.ui.workerEdit
    assert opened.sees(opened.ui.setupPlaceholder)
    edit.text = sys.executable
    edit.editingFinished.emit()
    assert not opened.sees(opened.ui.setupPlaceholder)
    edit.text = ""
    edit.editingFinished.emit()
    assert opened.sees(opened.ui.setupPlaceholder)
    opened.settled()


def test_what_is_needed_cannot_be_closed(fresh: None, opened: Any) -> None:
    opened.ui.setupButton.click()
    assert not opened.sees(opened.setupUi.setupCloseButton)
    opened.settled()


def test_settings_show_it_again_and_close_hides_it(opened: Any) -> None:
    opened.ui.settingsSection.collapsed = False
    opened.ui.setupButton.click()
    ui = opened.setupUi
    assert opened.sees(ui.setupCloseButton)
    assert "can be added" in ui.setupIntroLabel.text
    opened.settled()
    ui.setupCloseButton.click()
    assert not opened.sees(opened.ui.setupPlaceholder)


def test_it_goes_when_what_was_missing_has_come(fresh: None, opened: Any, hide: Any) -> None:
    assert opened.sees(opened.ui.setupPlaceholder)
    hide()
    opened.module.exit()
    opened.module.enter()
    assert not opened.sees(opened.ui.setupPlaceholder)


def test_the_choices_are_remembered(fresh: None, installers: Any, opened: Any) -> None:
    ui = opened.setupUi
    ui.wheelsCheckBox.click()
    assert not ui.installButton.enabled
    assert ui.installButton.toolTip == "Choose the folder or the bundle with the wheels."
    ui.wheelsEdit.setCurrentPath("/media/stick/bundle.zip")
    ui.slicerRadio.click()
    ui.textCheckBox.checked, ui.hubCheckBox.checked = False, True
    opened.module.reload()
    ui = opened.setupUi
    assert ui.slicerRadio.checked
    assert (ui.textCheckBox.checked, ui.hubCheckBox.checked) == (False, True)
    assert ui.wheelsEdit.currentPath == "/media/stick/bundle.zip"
    opened.until(lambda: opened.page.link.catalogue is not None)
    assert not ui.textCheckBox.checked, "the user has decided"


def test_what_the_method_needs_is_ticked(fresh: None, opened: Any) -> None:
    ui = opened.setupUi
    opened.until(lambda: opened.page.link.catalogue is not None)
    opened.page.parameters.method = "cdal"
    assert not ui.textCheckBox.checked
    opened.page.parameters.method = "adzus"
    opened.until(lambda: opened.page.choice().method.name == "adzus")
    assert ui.textCheckBox.checked is ("text" in opened.page.choice().prompts)
    assert "MB" in ui.textCheckBox.text


def test_wheels_that_are_none_are_told(fresh: None, opened: Any, tmp_path: Path) -> None:
    ui = opened.setupUi
    ui.wheelsCheckBox.click()
    ui.wheelsEdit.setCurrentPath(str(tmp_path / "nothing"))
    opened.settled()
    assert str(tmp_path / "nothing") in ui.planLabel.text
    assert not ui.installButton.enabled
    assert ui.installButton.toolTip == ui.planLabel.text


@pytest.mark.parametrize(
    ("sentence", "extra"),
    [
        ("Install it with: pip install 'DiffusionSeg[text]' (or so)", "text"),
        ("Install it with: pip install 'DiffusionSeg[hub]'", "hub"),
        ("The Python package transformers is missing or broken", "text"),
        ("The Python package scipy is missing or broken where the worker runs", ""),
        ("The Python package antigravity is missing", None),
        ("The volume is gone.", None),
    ],
)
def test_what_a_sentence_asks_for(scene: Any, sentence: str, extra: str | None) -> None:
    from DiffusionSegPanel.setup_words import extraIn

    assert extraIn(sentence) == extra


def test_the_real_sentences_are_recognised(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the backbones and the worker write."""
    import importlib.metadata

    from DiffusionSegLib.backbones.compact import words
    from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
    from DiffusionSegLib.errors import ModelError
    from DiffusionSegLib.worker.failures import explained
    from DiffusionSegPanel.setup_words import extraIn

    def absent(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(name)

    with monkeypatch.context() as patch, pytest.raises(ModelError) as text:
        patch.setattr(importlib.metadata, "distribution", absent)
        words.find_minilm()
    with pytest.raises(ModelError) as hub:
        optional_module("diffusers.nothing")
    assert extraIn(str(text.value)) == "text"
    assert extraIn(str(hub.value)) == "hub"
    assert extraIn(str(explained(ImportError("gone", name="safetensors.torch")))) == ""


def test_a_run_that_lacks_a_package_offers_the_page_with_it(opened: Any) -> None:
    from DiffusionSegLib.errors import ModelError

    opened.page.setup.section.ui.textCheckBox.checked = False
    sentence = "Words need a package. Install it with: pip install 'DiffusionSeg[text]'"
    opened.page.outliner.failed.emit(ModelError(sentence))
    assert opened.page.notice.text == sentence
    assert opened.sees(opened.ui.noticeSetupButton)
    opened.ui.noticeSetupButton.click()
    assert opened.page.notice.text == ""
    assert opened.sees(opened.setupUi.installButton)
    assert opened.setupUi.textCheckBox.checked
    opened.settled()


def test_another_failure_does_not(opened: Any) -> None:
    from DiffusionSegLib.errors import ModelError

    opened.page.outliner.failed.emit(ModelError("The weights are damaged."))
    assert opened.page.notice.text == ""
    assert opened.status


def test_segment_says_that_setting_up_comes_first(fresh: None, opened: Any) -> None:
    opened.page.link.close()
    opened.page.refresh()
    assert opened.ui.segmentButton.toolTip == "Python packages are missing; see Set up."


def test_every_control_has_a_tool_tip_and_can_be_reached_by_keyboard(
    fresh: None, installers: Any, opened: Any
) -> None:
    import qt

    controls = shown_controls(opened.ui.setupPlaceholder)
    own = set(vars(opened.setupUi))
    named = [one for one in controls if one.objectName in own]
    assert len(named) > 12
    assert [one.objectName for one in named if not one.toolTip] == []
    buttons = [one for one in named if isinstance(one, qt.QAbstractButton)]
    assert [one.objectName for one in buttons if one.focusPolicy == qt.Qt.NoFocus] == []


def test_no_text_is_cut_off(fresh: None, opened: Any, environment: Any) -> None:
    opened.setup.open()
    opened.settled()
    opened.setupUi.removeButton.click()
    opened.settled()
    frame = opened.module.frame
    frame.resize(WIDTH, 1400)
    frame.show()
    opened.settle()
    assert frame.size.width() == WIDTH
    narrow = [
        f"{one.objectName} {one.text!r}: {one.width} < {wanted_width(one)}"
        for one in text_widgets(opened.ui.setupPlaceholder)
        if one.width < wanted_width(one)
    ]
    assert narrow == []


def test_the_system_report_tells_of_it(fresh: None, opened: Any) -> None:
    import qt

    opened.ui.reportButton.click()
    text = qt.QApplication.clipboard().text()
    assert "Environment of its own: absent" in text
    assert "Missing here: torch>=2.4,<3" in text
    assert "-m DiffusionSegLib.cli.main doctor" in text
