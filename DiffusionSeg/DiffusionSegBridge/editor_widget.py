"""Editing through a Segment Editor that the user sees, so that its undo takes a result back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.editor_port import Editor, LogicEditor
from DiffusionSegBridge.nodes import Node
from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["EffectEditor", "WidgetEditor"]


class EffectEditor(Editor):
    """Editing through an effect of a Segment Editor, on what that editor has chosen.

    effect: a qSlicerSegmentEditorScriptedEffect, or any effect of the editor. Works in every
    version of Slicer.
    """

    def __init__(self, effect: Any) -> None:
        self._effect = effect

    def editorNode(self) -> Node:
        """See Editor."""
        return self._effect.parameterSetNode()

    def begin(self, segmentationNode: Node, volumeNode: Node) -> None:
        """The editor's own choice stays as it is unless it is another one."""
        node = self.editorNode()
        if node.GetSegmentationNode() is not segmentationNode:
            node.SetAndObserveSegmentationNode(segmentationNode)
        if node.GetSourceVolumeNode() is None:
            node.SetAndObserveSourceVolumeNode(volumeNode)

    def saveState(self) -> None:
        """See EditorPort."""
        self._effect.saveStateForUndo()

    def undo(self) -> None:
        """An effect cannot undo; the editor's button does."""

    def _modifier(self) -> Node:
        return self._effect.defaultModifierLabelmap()

    def _mask(self) -> Node:
        return self._effect.maskLabelmap()

    def _source(self) -> Node:
        return self._effect.sourceVolumeImageData()

    def _modify(self, segmentId: str, labelmap: Node, adding: bool) -> None:
        effect = self._effect
        mode = effect.ModificationModeAdd if adding else effect.ModificationModeRemove
        segmentation = self.editorNode().GetSegmentationNode()
        effect.modifySegmentByLabelmap(segmentation, segmentId, labelmap, mode)


class WidgetEditor:
    """Editing beside a qMRMLSegmentEditorWidget: its masks, its undo steps.

    widget: a qMRMLSegmentEditorWidget with a scene and an editor node. The voxels are changed by
    Slicer's editing logic or, where Slicer has none (before 5.10), by one of the widget's effects.
    """

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._hand: LogicEditor | EffectEditor | None = None

    def editorNode(self) -> Node:
        """The widget's editor node."""
        return self._widget.mrmlSegmentEditorNode()

    def begin(self, segmentationNode: Node, volumeNode: Node) -> None:
        """See EditorPort; the widget shows what is edited."""
        self._widget.setSegmentationNode(segmentationNode)
        self._widget.setSourceVolumeNode(volumeNode)
        self._hand = self._newHand()
        self._hand.begin(segmentationNode, volumeNode)

    def saveState(self) -> None:
        """See EditorPort."""
        self._widget.saveStateForUndo()

    def add(self, segmentId: str, inside: NDArray[np.bool_], geometry: Geometry) -> None:
        """See EditorPort."""
        self._begun().add(segmentId, inside, geometry)

    def remove(self, segmentId: str, inside: NDArray[np.bool_], geometry: Geometry) -> None:
        """See EditorPort."""
        self._begun().remove(segmentId, inside, geometry)

    def overwriting(self, mode: str) -> Any:
        """See EditorPort."""
        return self._begun().overwriting(mode)

    def isMasked(self) -> bool:
        """See EditorPort."""
        return self._begun().isMasked()

    def undo(self) -> None:
        """See EditorPort."""
        self._widget.undo()

    def _begun(self) -> LogicEditor | EffectEditor:
        if self._hand is None:
            raise RuntimeError("begin was not called")
        return self._hand

    def _newHand(self) -> LogicEditor | EffectEditor:
        import slicer

        if hasattr(slicer, "vtkSlicerSegmentEditorLogic"):
            node = self.editorNode()
            return LogicEditor(node.GetScene(), node, keepsHistory=False)
        return EffectEditor(self._widget.effectByIndex(0))
