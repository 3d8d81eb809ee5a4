"""The same edit through a Segment Editor that the user sees, in its undo steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.editor_widget import EffectEditor, WidgetEditor
from DiffusionSegBridge.new_segment import createSegmentationFor
from DiffusionSegBridge.segments import readSegments, writeSegment
from DiffusionSegBridge.volumes import worldGeometry
from Testing.Slicer.Bridge.results import ball, volume

EFFECT = """
class TestEffect:
    def __init__(self, scriptedEffect):
        scriptedEffect.name = "Nothing"
        self.scriptedEffect = scriptedEffect

    def clone(self):
        import slicer
        clone = slicer.qSlicerSegmentEditorAbstractEffect(None)
        clone.setPythonSource(__file__)
        return clone
"""


@pytest.fixture
def both(scene: Any, tmp_path: Path) -> tuple[Any, Any]:
    """An editor and an effect of it."""
    pytest.importorskip("PySide6")
    from Testing.Harness.boot import boot

    world = boot(tmp_path)
    import qSlicerSegmentationsEditorEffectsPythonQt as effects
    import slicer

    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLScene(world.scene)
    editor.setMRMLSegmentEditorNode(world.scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    source = tmp_path / "test_effects" / "TestEffect.py"
    source.parent.mkdir()
    source.write_text(EFFECT)
    effect = effects.qSlicerSegmentEditorScriptedEffect(None)
    effect.setPythonSource(str(source))
    effect._editor = editor
    return editor, effect


@pytest.mark.parametrize("kind", ["logic", "effect of an old Slicer", "effect"])
def test_one_step_of_the_widgets_undo(
    both: tuple[Any, Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    widget, effect = both
    node = volume(slicer.mrmlScene)
    geometry = worldGeometry(node)
    segmentation = createSegmentationFor(node, "S")
    key = segmentation.GetSegmentation().AddEmptySegment()
    drawing, new = ball(center=(3, 5, 6)) > 0.5, ball() > 0.5
    writeSegment(drawing, geometry, segmentation, key)
    settings = widget.mrmlSegmentEditorNode()
    editor: Any = WidgetEditor(widget)
    if kind == "effect":
        editor = EffectEditor(effect)
        widget.setSegmentationNode(segmentation)
    if kind == "effect of an old Slicer":
        monkeypatch.delattr(slicer, "vtkSlicerSegmentEditorLogic")
        monkeypatch.setattr(type(widget), "effectByIndex", lambda *_: effect)
    editor.begin(segmentation, node)
    assert settings.GetSegmentationNode() is segmentation
    assert settings.GetSourceVolumeNode() is node
    settings.SetSourceVolumeIntensityMask(True)
    settings.SetSourceVolumeIntensityMaskRange(200, 650)
    values = slicer.util.arrayFromVolume(node)
    free = (values >= 200) & (values <= 650)
    editor.saveState()
    with editor.overwriting("none"):
        assert settings.GetOverwriteMode() == settings.OverwriteNone
        editor.remove(key, drawing & ~new, geometry)
        editor.add(key, new & ~drawing, geometry)
    found = readSegments(segmentation, {1: key}, geometry).array > 0
    np.testing.assert_array_equal(found, np.where(free, new, drawing))
    assert (found != new).any() and (found != drawing).any()
    editor.undo()
    widget.undo() if kind == "effect" else None
    back = readSegments(segmentation, {1: key}, geometry).array > 0
    np.testing.assert_array_equal(back, drawing)


def test_editing_before_it_began_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="begin"), WidgetEditor(None).overwriting("none"):
        pass
