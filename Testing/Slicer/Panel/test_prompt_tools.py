"""Points, box, scribble, where to look, text."""

from __future__ import annotations

from typing import Any

import pytest


def place(node: Any, *position: float) -> None:
    """What a click in place mode does."""
    node.AddControlPoint(*position)


def is_placing() -> bool:
    import slicer

    node = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    return bool(node.GetCurrentInteractionMode() == node.Place)


def center(volume: Any) -> list[float]:
    bounds = [0.0] * 6
    volume.GetRASBounds(bounds)
    return [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]


def test_points_are_placed_by_click(opened: Any) -> None:
    volume = opened.ready()
    ui, page = opened.ui, opened.page
    ui.includeButton.click()
    opened.settle()
    assert is_placing()
    assert ui.includeButton.checked
    place(page.parameters.includePoints, *center(volume))
    ui.excludeButton.click()
    opened.settle()
    assert (ui.includeButton.checked, ui.excludeButton.checked) == (False, True)
    corner = [value + 2 for value in center(volume)]
    place(page.parameters.excludePoints, *corner)
    opened.settle()
    assert (ui.includeButton.text, ui.excludeButton.text) == ("Include (1)", "Exclude (1)")
    _volumes, _setup, prompt = page.request()
    assert [point.include for point in prompt.points] == [True, False]
    assert prompt.points[0].position_ras == pytest.approx(center(volume))
    ui.excludeButton.click()
    assert not is_placing()
    ui.clearPointsButton.click()
    opened.settle()
    assert page.request()[2].is_empty
    assert ui.includeButton.text == "Include"


def test_escape_releases_the_button(opened: Any) -> None:
    import slicer

    opened.ready()
    opened.ui.includeButton.click()
    interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    opened.settle()
    assert not opened.ui.includeButton.checked


def test_segment_ends_placing(opened: Any) -> None:
    opened.ready()
    opened.ui.includeButton.click()
    opened.ui.segmentButton.click()
    assert not is_placing()


def test_marks_are_hidden_outside_the_module(opened: Any) -> None:
    opened.ready()
    opened.ui.includeButton.click()
    opened.ui.boxButton.click()
    nodes = [opened.page.parameters.includePoints, opened.page.parameters.box]
    assert all(node.GetDisplayVisibility() for node in nodes)
    opened.module.exit()
    assert not any(node.GetDisplayVisibility() for node in nodes)
    assert not is_placing()
    opened.module.enter()
    assert all(node.GetDisplayVisibility() for node in nodes)


def test_a_box_appears_inside_the_volume_and_goes(opened: Any) -> None:
    from DiffusionSegBridge.volumes import worldGeometry

    volume = opened.ready()
    opened.ui.boxButton.click()
    opened.settle()
    assert opened.ui.boxButton.checked
    box = opened.page.request()[2].boxes[0]
    assert worldGeometry(volume).contains_ras(box.corners_ras()).all()
    opened.ui.boxButton.click()
    opened.settle()
    assert not opened.ui.boxButton.checked
    assert opened.page.parameters.box is None
    assert opened.page.request()[2].boxes == ()


def test_the_box_is_deleted_elsewhere(opened: Any, scene: Any) -> None:
    opened.ready()
    opened.ui.boxButton.click()
    scene.RemoveNode(opened.page.parameters.box)
    opened.settle()
    assert not opened.ui.boxButton.checked
    assert opened.page.request()[2].boxes == ()


def test_where_to_look(opened: Any) -> None:
    import slicer

    volume = opened.ready()
    slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().JumpSliceByCentering(
        *center(volume)
    )
    ui, page = opened.ui, opened.page
    assert page.request()[2].region is None
    ui.regionRadio.click()
    region = page.request()[2].region
    assert region is not None
    assert region.center_ras == pytest.approx(center(volume), abs=1.0)
    assert page.parameters.region.GetDisplayVisibility()
    ui.sliceRadio.click()
    assert not page.parameters.region.GetDisplayVisibility()
    layer = page.request()[2].region
    assert min(layer.size_mm) <= max(volume.GetSpacing())
    assert ui.sliceCombo.isVisibleTo(opened.module.frame)
    ui.wholeRadio.click()
    assert page.request()[2].region is None


def test_a_region_that_is_deleted_is_not_taken_for_the_whole_volume(
    opened: Any, scene: Any
) -> None:
    opened.ready()
    opened.ui.regionRadio.click()
    scene.RemoveNode(opened.page.parameters.region)
    opened.settle()
    opened.ui.segmentButton.click()
    assert opened.status == "The region was deleted; choose where to look again."
    opened.ui.regionRadio.click()
    assert opened.page.request()[2].region is not None


def test_a_slice_view_that_is_gone_is_a_sentence(opened: Any) -> None:
    from DiffusionSegPanel.parameter_node import RegionMode

    opened.ready()
    opened.page.parameters.sliceViewName = "Purple"
    opened.page.parameters.regionMode = RegionMode.SLICE
    opened.ui.segmentButton.click()
    assert opened.status == "There is no slice view Purple; choose where to look again."


def test_the_selected_segment_is_a_scribble(opened: Any, scene: Any) -> None:
    import numpy as np

    from DiffusionSegBridge.new_segment import addSegment, createSegmentationFor
    from DiffusionSegBridge.segments import writeSegment
    from DiffusionSegBridge.volumes import worldGeometry
    from DiffusionSegLib.nouns.label import label_for

    volume = opened.ready()
    segmentation = createSegmentationFor(volume, "Painted")
    ids = [addSegment(segmentation, label_for(value)) for value in (1, 2)]
    geometry = worldGeometry(volume)
    painted = np.zeros(geometry.shape_kji, bool)
    painted[5:8, 10:12, 10:12] = True
    writeSegment(painted, geometry, segmentation, ids[1])
    editor = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    editor.SetAndObserveSegmentationNode(segmentation)
    editor.SetSelectedSegmentID(ids[1])
    opened.ui.scribbleCheckBox.click()
    scribbles = opened.page.request()[2].scribbles
    assert (scribbles.resampled(geometry).array == painted).all()
    assert opened.ui.scribbleSelector.currentSegmentID() == ids[1]
    segmentation.GetSegmentation().RemoveSegment(ids[1])
    opened.ui.segmentButton.click()
    assert opened.status.startswith("No segment is chosen as scribble")
    opened.ui.scribbleCheckBox.click()
    assert not opened.page.parameters.useScribble
    assert opened.page.request()[2].scribbles is None


def test_what_a_method_does_not_take_is_disabled_with_the_reason(opened: Any) -> None:
    opened.ready()
    opened.page.parameters.method = "cdal"
    opened.until(lambda: opened.page.choice().method.name == "cdal")
    edit = opened.ui.textEdit
    assert not edit.enabled
    assert edit.toolTip == "cDAL works without words."
    opened.page.parameters.text = "left over from another method"
    assert opened.page.request()[2].text == ""


def test_text_is_completed_from_history_and_terminology(opened: Any) -> None:
    page = opened.page
    page.settings.remember("pineal  gland")
    page.settings.remember("Odd Name of mine")
    page.settings.remember("pineal gland")
    assert page.settings.history() == ["pineal gland", "Odd Name of mine"]
    completion = page.prompt.completion
    assert completion.suggestions("") == ["pineal gland", "Odd Name of mine"]
    assert completion.suggestions("nAME")[0] == "Odd Name of mine"
    from DiffusionSegBridge.terminology import completions

    known = completions("ki")
    assert known, "the harness has loaded a terminology"
    assert completion.suggestions("ki")[: len(known)] == known[:40]
