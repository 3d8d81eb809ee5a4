"""Diffusion refine in the Segment Editor, without the module's page."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np

from DiffusionSegBridge.new_segment import createSegmentationFor
from DiffusionSegBridge.segments import readSegments, writeSegment
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.nouns.mask import Mask
from Testing.Slicer.Effect.conftest import EFFECT, hippocampus
from Testing.Slicer.Panel.conftest import HIPPOCAMPUS


def withTruth(volume: Any) -> tuple[Any, dict[int, str], np.ndarray]:
    """A segmentation from a file: both parts of the hippocampus, without any tag."""
    truth = Mask.read(HIPPOCAMPUS / "labels" / "hippocampus_033.nii.gz").array
    segmentation = createSegmentationFor(volume, "From a file")
    ids = {}
    for value, name in ((1, "Anterior"), (2, "Posterior hippocampus")):
        ids[value] = segmentation.GetSegmentation().AddEmptySegment("", name)
        writeSegment(truth == value, worldGeometry(volume), segmentation, ids[value])
    return segmentation, ids, truth


def test_registered_under_its_name_with_icon_help_and_tool_tips(editor: Any) -> None:
    assert "Diffusion refine" in editor.widget.availableEffectNames()
    effect = editor.effect
    assert effect.scriptedEffect.title == "Diffusion refine"
    assert not effect.icon().isNull()
    assert "not diffusion MRI" in effect.helpText()
    assert effect.refiner is None  # nothing is loaded before it is used
    for name in ("modelCombo", "structureCombo", "refineButton", "stopButton", "progressBar"):
        assert getattr(editor.ui, name).toolTip


def test_its_file_imports_nothing_of_the_project() -> None:
    code = (
        "import sys, types\n"
        "for name in ('qt', 'slicer', 'slicer.i18n', 'SegmentEditorEffects'):\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        "sys.modules['slicer.i18n'].tr = str\n"
        "sys.modules['SegmentEditorEffects'].AbstractScriptedSegmentEditorEffect = object\n"
        f"exec(compile(open({str(EFFECT)!r}).read(), {str(EFFECT)!r}, 'exec'), "
        f"{{'__file__': {str(EFFECT)!r}, '__name__': 'x'}})\n"
        "print([name for name in sys.modules if name.startswith('DiffusionSeg')])\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_without_a_segment_and_with_an_empty_one_it_says_why(editor: Any) -> None:
    editor.activate()
    editor.ui.refineButton.click()
    assert editor.status == "Choose a source volume and a segment first."
    volume = hippocampus()
    segmentation = createSegmentationFor(volume, "Mine")
    key = segmentation.GetSegmentation().AddEmptySegment("", "blank")
    editor.choose(volume, segmentation, key)
    editor.chooseModel("cdal/hippocampus")
    assert editor.status.startswith("The segment blank is empty: paint a first guess")
    editor.ui.refineButton.click()
    assert editor.status.startswith("The segment blank is empty: paint a first guess")


def test_a_segment_from_a_file_is_refined_and_undone(editor: Any) -> None:
    """Painted and erased voxels stay, the other segment too; one undo brings all back."""
    volume = hippocampus()
    segmentation, ids, truth = withTruth(volume)
    geometry = worldGeometry(volume)
    node = editor.widget.mrmlSegmentEditorNode()
    node.SetOverwriteMode(node.OverwriteNone)
    editor.choose(volume, segmentation, ids[2])
    editor.activate()
    editor.chooseModel("cdal/hippocampus")
    assert editor.ui.structureCombo.currentText.lower().startswith("posterior")
    painted = truth == 2
    center = [int(axis.mean()) for axis in np.nonzero(painted)]
    painted[center[0], center[1] - 1 : center[1] + 2, center[2] - 1 : center[2] + 2] = False
    painted[2, 2, 2:5] = True
    editor.widget.setActiveEffect(None)
    writeSegment(painted, geometry, segmentation, ids[2])
    editor.activate()
    editor.ui.refineButton.click()
    assert editor.ui.stopButton.isVisibleTo(editor.ui.stopButton.parentWidget())
    assert not editor.ui.refineButton.enabled
    editor.until(lambda: editor.status.startswith("Accepted"))
    now = readSegments(segmentation, {1: ids[2]}, geometry).array > 0
    user = painted != (truth == 2)
    np.testing.assert_array_equal(now[user], painted[user])
    assert (now != painted).any()
    first = readSegments(segmentation, {1: ids[1]}, geometry).array > 0
    np.testing.assert_array_equal(first, truth == 1)
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 2
    editor.widget.undo()
    back = readSegments(segmentation, {1: ids[2]}, geometry).array > 0
    np.testing.assert_array_equal(back, painted)


def test_the_editors_mask_is_obeyed(editor: Any) -> None:
    volume = hippocampus()
    segmentation, ids, truth = withTruth(volume)
    node = editor.widget.mrmlSegmentEditorNode()
    node.SetSourceVolumeIntensityMask(True)
    node.SetSourceVolumeIntensityMaskRange(1e6, 2e6)
    editor.choose(volume, segmentation, ids[2])
    editor.activate()
    editor.chooseModel("cdal/hippocampus")
    editor.ui.refineButton.click()
    editor.until(lambda: editor.status.startswith("Accepted"))
    now = readSegments(segmentation, {1: ids[2]}, worldGeometry(volume)).array > 0
    np.testing.assert_array_equal(now, truth == 2)


def test_stop_and_leaving_the_effect_change_nothing(editor: Any) -> None:
    volume = hippocampus()
    segmentation, ids, truth = withTruth(volume)
    editor.choose(volume, segmentation, ids[2])
    editor.activate()
    editor.chooseModel("cdal/hippocampus")
    editor.ui.refineButton.click()
    editor.ui.stopButton.click()
    assert editor.status == "Stopped; the segment is as it was."
    assert editor.ui.refineButton.enabled
    editor.ui.refineButton.click()
    editor.widget.setActiveEffect(None)
    assert editor.status == "Stopped, because the effect was left."
    now = readSegments(segmentation, {1: ids[2]}, worldGeometry(volume)).array > 0
    np.testing.assert_array_equal(now, truth == 2)


def test_the_scene_goes_while_it_runs(editor: Any, scene: Any) -> None:
    volume = hippocampus()
    segmentation, ids, _truth = withTruth(volume)
    editor.choose(volume, segmentation, ids[2])
    editor.activate()
    editor.chooseModel("cdal/hippocampus")
    editor.ui.refineButton.click()
    scene.RemoveNode(volume)
    editor.until(lambda: "volume is gone" in editor.status)
    scene.RemoveNode(segmentation)
    editor.ui.refineButton.click()
    assert editor.status == "Choose a source volume and a segment first."


def test_the_model_is_kept_with_the_editor_node(editor: Any) -> None:
    editor.activate()
    editor.chooseModel("cdal/sarcoma")
    assert editor.effect.scriptedEffect.parameter("Model") == "cdal/sarcoma"
    volume = hippocampus()
    segmentation, ids, _truth = withTruth(volume)
    editor.choose(volume, segmentation, ids[1])
    editor.ui.refineButton.click()
    assert "needs several volumes" in editor.status
