"""What a first-time user meets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from Testing.Slicer.Panel.conftest import ROOT, OpenedPage, share_workers

WIDTH = 420  # pixels, the width of a narrow module panel


def shown_controls(root: Any) -> list[Any]:
    """The widgets that a user can work with or read."""
    import qt

    kinds = (qt.QAbstractButton, qt.QComboBox, qt.QLineEdit, qt.QAbstractSpinBox, qt.QProgressBar)
    return [child for child in root.findChildren(qt.QWidget) if isinstance(child, kinds)]


def test_the_five_things_are_there(opened: Any) -> None:
    ui = opened.ui
    opened.until(lambda: ui.methodCombo.count > 0)
    opened.module.frame.show()
    for name in ("inputSelector", "methodCombo", "modelCombo", "includeButton", "segmentButton"):
        assert getattr(ui, name).visible, name
    assert ui.inputSection.text == "Input"
    assert ui.resultSection.visible
    assert ui.settingsSection.collapsed
    assert ui.refineSection.collapsed
    assert not ui.secondSelector.visible
    assert not ui.noticeFrame.visible, opened.page.notice.text


def test_it_says_what_it_is_and_is_not(opened: Any) -> None:
    opened.until(lambda: opened.ui.summaryLabel.text)
    opened.page.parameters.method = "cdal"
    opened.until(lambda: opened.page.choice().method.name == "cdal")
    text = opened.ui.summaryLabel.text
    assert "not diffusion MRI" in text
    assert "Not for clinical use" in text
    assert "CC BY-SA 4.0" in text
    assert "MICCAI" in opened.ui.summaryLabel.toolTip


def test_without_a_volume_the_button_says_why(opened: Any) -> None:
    opened.until(lambda: opened.page.link.catalogue is not None)
    assert not opened.ui.segmentButton.enabled
    assert opened.ui.segmentButton.toolTip == "Choose a volume to outline."
    assert opened.status == "Choose a volume to outline."
    opened.load()
    assert opened.ui.segmentButton.enabled
    assert opened.status == ""


def test_the_worker_imports_torch_only_when_something_is_to_be_computed(opened: Any) -> None:
    opened.until(lambda: opened.page.link.catalogue is not None)
    opened.settle(0.2)
    assert not opened.page.link._isHelloAsked
    opened.load()
    opened.until(lambda: opened.page.link.hello is not None)


def test_opening_the_settings_asks_for_the_devices(opened: Any) -> None:
    opened.ui.settingsSection.collapsed = False
    opened.until(lambda: opened.ui.deviceCombo.count > 1)


def test_a_volume_that_is_there_is_chosen(opened: Any) -> None:
    volume = opened.load()
    opened.page.parameters.inputVolume = None
    opened.module.exit()
    opened.module.enter()
    assert opened.page.parameters.inputVolume is volume


def test_the_first_volume_that_is_loaded_is_chosen(opened: Any) -> None:
    import slicer

    from Testing.Slicer.Panel.conftest import HIPPOCAMPUS

    path = HIPPOCAMPUS / "images" / "hippocampus_039.nii.gz"
    first = slicer.util.loadVolume(str(path))
    opened.settle()
    assert opened.page.parameters.inputVolume is first
    slicer.util.loadVolume(str(path))
    opened.settle()
    assert opened.page.parameters.inputVolume is first


def test_a_volume_without_voxels_is_named(opened: Any, scene: Any) -> None:
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    opened.page.parameters.inputVolume = empty
    opened.until(lambda: opened.page.link.hello is not None)
    assert opened.status == "Nothing holds no voxels; choose another volume."


def test_the_panels_process_does_not_import_torch(opened: Any) -> None:
    """Unless other tests of this process have done so before."""

    import DiffusionSegPanel

    folder = Path(DiffusionSegPanel.__file__).parents[1]
    for path in folder.rglob("*.py"):
        assert "import torch" not in path.read_text("utf-8"), path


def test_every_control_has_a_tool_tip(opened: Any) -> None:
    opened.ready()
    ours = shown_controls(opened.ui.inputContents.window())
    named = [child for child in ours if child.objectName and not child.objectName.startswith("qt_")]
    assert len(named) > 15
    missing = [child.objectName for child in named if child.enabled and not child.toolTip]
    own = set(vars(opened.ui))
    assert [name for name in missing if name in own] == []


@pytest.mark.parametrize("section", ["inputSection", "promptSection", "settingsSection"])
def test_no_text_is_cut_off(opened: Any, section: str) -> None:
    opened.ready()
    getattr(opened.ui, section).collapsed = False
    frame = opened.module.frame
    frame.resize(WIDTH, 1400)
    frame.show()
    opened.settle()
    assert frame.size.width() == WIDTH
    narrow = [
        f"{child.objectName} {child.text!r}: {child.width} < {wanted_width(child)}"
        for child in text_widgets(getattr(opened.ui, section))
        if child.width < wanted_width(child)
    ]
    assert narrow == []


def wanted_width(widget: Any) -> int:
    return int(type(widget).sizeHint(widget).width())


def text_widgets(root: Any) -> list[Any]:
    """Visible one-line labels and buttons."""
    import qt

    labels = [child for child in root.findChildren(qt.QLabel) if not child.wordWrap]
    buttons = root.findChildren(qt.QAbstractButton)
    return [child for child in [*labels, *buttons] if child.visible and child.text]


def test_older_slicers_are_told_what_is_missing(
    scene: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    from DiffusionSegPanel.slicer_version import whatIsMissing
    from Testing.Harness.boot import boot

    assert whatIsMissing() == ""
    boot(tmp_path, version=(5, 8))
    monkeypatch.delattr(slicer, "vtkSlicerSegmentEditorLogic")
    sentence = whatIsMissing()
    assert sentence.startswith("Slicer 5.8.0 lacks slicer.packaging")
    assert "vtkSlicerSegmentEditorLogic" in sentence
    assert sentence.endswith("everything else works.")


def test_the_page_works_in_an_older_slicer(
    scene: Any, workers: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from Testing.Harness.boot import boot, openModule

    boot(tmp_path, version=(5, 8))
    share_workers(workers, monkeypatch)
    opened = OpenedPage(openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py"))
    opened.ready()
    assert opened.page.notice.text.startswith("Slicer 5.8.0 lacks slicer.packaging")
    assert not opened.ui.noticeButton.isVisibleTo(opened.module.frame)
    opened.ui.segmentButton.click()
    assert opened.page.outliner.isBusy
    opened.module.close()


def test_an_older_python_gets_one_sentence(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import qt

    from Testing.Harness.boot import openModule

    monkeypatch.setattr(sys, "version_info", (3, 9, 10))
    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    texts = [label.text for label in module.frame.findChildren(qt.QLabel)]
    assert texts == [
        "DiffusionSeg needs Slicer with Python 3.10, and this one has 3.9; install Slicer 5.12 "
        "or later."
    ]
    module.exit()
    module.close()
