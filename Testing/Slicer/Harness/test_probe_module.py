"""A module of the usual kind runs unmodified in the harness, from opening to reload."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROBE = Path(__file__).parent / "probe" / "HarnessProbe" / "HarnessProbe.py"
VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.fixture
def probe(scene: Any) -> Iterator[Any]:
    from Testing.Harness.boot import openModule

    module = openModule(PROBE)
    yield module
    module.close()


@pytest.fixture
def volume(scene: Any) -> Any:
    import slicer

    return slicer.util.addVolumeFromArray(VALUES, name="V")


def wait_for(condition: Any, limit_s: float = 60.0) -> None:
    import slicer

    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        slicer.app.processEvents()


def test_the_selectors_follow_the_scene(probe: Any, volume: Any) -> None:
    ui = probe.widget.ui
    assert ui.inputSelector.nodeCount() == 1
    assert ui.inputSelector.currentNode() is None  # None is offered, so nothing is chosen unasked
    assert not ui.applyButton.enabled
    probe.widget.logic.getParameterNode().inputVolume = volume
    assert ui.inputSelector.currentNode() is volume
    volume.SetName("renamed")
    assert ui.inputSelector._box.currentText == "renamed"


def test_a_deleted_choice_is_replaced_by_its_neighbor(probe: Any, volume: Any, scene: Any) -> None:
    """As Qt's list does when a row goes; a module must not take it for the user's choice."""
    import slicer

    selector = probe.widget.ui.inputSelector
    other = slicer.util.addVolumeFromArray(VALUES, name="W")
    selector.setCurrentNode(volume)
    scene.RemoveNode(volume)
    assert selector.currentNode() is other
    scene.RemoveNode(other)
    assert selector.currentNode() is None


def test_parameters_and_controls_keep_step(probe: Any) -> None:
    ui, parameters = probe.widget.ui, probe.widget.logic.getParameterNode()
    assert ui.thresholdSlider.value == parameters.threshold == 100
    assert (ui.thresholdSlider.minimum, ui.thresholdSlider.maximum) == (-100, 200)
    ui.thresholdSlider.value = 42
    assert parameters.threshold == 42
    parameters.note = "from the node"
    assert ui.noteEdit.text == "from the node"
    ui.invertBox.click()
    assert parameters.invert is True
    ui.sideBox.currentText = "BELOW"
    assert parameters.side.value == "below"
    with pytest.raises(ValueError, match="not within"):
        parameters.threshold = 201.0
    with pytest.raises((TypeError, ValueError)):
        parameters.note = 3


def test_apply_runs_later_and_writes_a_segment(probe: Any, volume: Any) -> None:
    import slicer

    ui, parameters = probe.widget.ui, probe.widget.logic.getParameterNode()
    parameters.inputVolume = volume
    parameters.outputSegmentation = ui.outputSelector.addNode()
    parameters.threshold = 20.0
    assert ui.applyButton.enabled
    ui.applyButton.click()
    assert ui.statusLabel.text == ""
    wait_for(lambda: ui.statusLabel.text)
    assert ui.statusLabel.text == "3 voxels"
    written = slicer.util.arrayFromSegmentBinaryLabelmap(
        parameters.outputSegmentation, "probe", volume
    )
    assert np.array_equal(written > 0, VALUES > 20)


def test_closing_the_scene_makes_a_new_parameter_node(probe: Any, volume: Any, scene: Any) -> None:
    parameters = probe.widget.logic.getParameterNode()
    parameters.inputVolume = volume
    parameters.note = "gone"
    scene.Clear(0)
    assert probe.widget.ui.inputSelector.nodeCount() == 0
    assert probe.widget.logic.getParameterNode().note == "nothing yet"


def test_parameters_are_saved_with_the_scene(
    probe: Any, volume: Any, scene: Any, tmp_path: Path
) -> None:
    import slicer

    parameters = probe.widget.logic.getParameterNode()
    parameters.note, parameters.threshold, parameters.inputVolume = "ä < 'ß'", 0.1, volume
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(0)
    slicer.util.loadScene(path)
    again = probe.widget.logic.getParameterNode()
    assert (again.note, again.threshold) == ("ä < 'ß'", 0.1)
    assert again.inputVolume.GetName() == "V"
    assert probe.widget.ui.inputSelector.currentNode() is again.inputVolume


def test_enter_exit_and_reload(probe: Any) -> None:
    first = probe.widget
    probe.exit()
    assert first._parameterNode is None
    probe.enter()
    assert first.entered == 2
    second = probe.reload()
    assert second is not first
    assert type(second) is not type(first)
    assert second.entered == 0  # Slicer sets a reloaded widget up and does not enter it
    assert second.parent is first.parent
    assert second.parent.isEntered
    assert not first.timer.active
    second.ui.noteEdit.text = "typed after the reload"
    assert second.logic.getParameterNode().note == "typed after the reload"


def test_the_effect_edits_and_one_undo_takes_it_back(probe: Any, volume: Any, scene: Any) -> None:
    import slicer

    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segmentation.GetSegmentation().AddEmptySegment("a", "a")
    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLScene(scene)
    editor.setMRMLSegmentEditorNode(scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    editor.setSegmentationNode(segmentation)
    editor.setSourceVolumeNode(volume)
    assert "Probe" in editor.availableEffectNames()
    editor.setActiveEffectByName("Probe")
    effect = editor.activeEffect()
    assert effect.self().slider.value == 15
    effect.self().slider.value = 20
    assert effect.integerParameter("Above") == 20
    effect.self().onApply()

    def voxels() -> int:
        array = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "a", volume)
        return int((array > 0).sum())

    assert voxels() == 3
    editor.undo()
    assert voxels() == 0


def test_its_self_test_runs(probe: Any) -> None:
    import slicer

    slicer.selfTests["HarnessProbe"]()


def test_a_form_with_an_undeclared_widget_is_refused(scene: Any, tmp_path: Path) -> None:
    import slicer

    text = (PROBE.parent / "Resources/UI/HarnessProbe.ui").read_text("utf-8")
    path = tmp_path / "broken.ui"
    path.write_text(text.replace("<class>ctkSliderWidget</class>", "<class>Other</class>"), "utf-8")
    with pytest.raises(RuntimeError, match="ctkSliderWidget"):
        slicer.util.loadUI(str(path))
    path.write_text(text.replace("<receiver>inputSelector", "<receiver>noSelector"), "utf-8")
    with pytest.raises(RuntimeError, match="noSelector"):
        slicer.util.loadUI(str(path))
