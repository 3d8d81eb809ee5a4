"""Changing segments as the Segment Editor does: one undo step, masks and overwriting obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.arrays import scalarsFromArray
from DiffusionSegBridge.labelmaps import filledBlock, labelmapGeometry, labelmapVoxels
from DiffusionSegBridge.nodes import Node, Scene, currentScene
from DiffusionSegBridge.regrid import onGrid
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["OVERWRITE_MODES", "Editor", "EditorPort", "LogicEditor"]

# "editor": as the Segment Editor is set.
OVERWRITE_MODES = ("none", "visible", "all", "editor")


class EditorPort(Protocol):
    """What accepting a result needs of a Segment Editor.

    `LogicEditor` works without a desktop (Slicer 5.10 and later); `WidgetEditor` and
    `EffectEditor` (editor_widget.py) share the undo steps of an editor that the user sees.
    """

    def begin(self, segmentationNode: Node, volumeNode: Node) -> None:
        """Edit this segmentation, with this volume as source (for intensity masks)."""

    def saveState(self) -> None:
        """What is changed from here on is one undo step."""

    def add(self, segmentId: str, inside: NDArray[np.bool_], geometry: Geometry) -> None:
        """Add voxels (k, j, i) of a world grid to a segment, where the editor's mask allows it."""

    def remove(self, segmentId: str, inside: NDArray[np.bool_], geometry: Geometry) -> None:
        """Take voxels of a world grid out of a segment, where the editor's mask allows it."""

    def overwriting(self, mode: str) -> AbstractContextManager[None]:
        """Inside the block: "none" leaves other segments alone, "all" and "visible" take their
        voxels, "editor" does what the Segment Editor is set to."""

    def isMasked(self) -> bool:
        """Whether masks protect some voxels."""

    def undo(self) -> None:
        """Take the last step back."""


class Editor:
    """What all editors share; a subclass says where Slicer's own editor is.

    Slicer applies its masks itself, but lets a removal reach beyond them and gives what is erased
    inside a mask segment back to that segment. Here nothing outside the editable area changes.
    """

    def editorNode(self) -> Node:
        """The vtkMRMLSegmentEditorNode with masks and overwriting."""
        raise NotImplementedError

    def add(self, segmentId: str, inside: NDArray[np.bool_], geometry: Geometry) -> None:
        """See EditorPort."""
        self._change(segmentId, inside, geometry, adding=True)

    def remove(self, segmentId: str, inside: NDArray[np.bool_], geometry: Geometry) -> None:
        """See EditorPort."""
        self._change(segmentId, inside, geometry, adding=False)

    def isMasked(self) -> bool:
        """See EditorPort."""
        node = self.editorNode()
        # 0 is EditAllowedEverywhere.
        return bool(node.GetMaskMode() != 0 or node.GetSourceVolumeIntensityMask())

    @contextmanager
    def overwriting(self, mode: str) -> Iterator[None]:
        """See EditorPort. Raises InputError for an unknown mode."""
        node = self.editorNode()
        modes = {
            "none": node.OverwriteNone,
            "visible": node.OverwriteVisibleSegments,
            "all": node.OverwriteAllSegments,
            "editor": node.GetOverwriteMode(),
        }
        if mode not in modes:
            raise InputError(f"Overwriting is one of {', '.join(modes)}, not {mode!r}.")
        earlier = node.GetOverwriteMode()
        node.SetOverwriteMode(modes[mode])
        try:
            yield
        finally:
            node.SetOverwriteMode(earlier)

    def _change(
        self, segmentId: str, inside: NDArray[np.bool_], geometry: Geometry, adding: bool
    ) -> None:
        modifier = self._modifier()
        grid = labelmapGeometry(modifier, self.editorNode().GetSegmentationNode())
        if grid is None:
            raise InputError("The segmentation has no grid; choose the volume it belongs to.")
        voxels = self._editable(onGrid(inside, geometry, grid))
        if voxels.any():
            self._modify(segmentId, self._labelmap(voxels, modifier), adding)

    def _editable(self, voxels: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What of the voxels the editor's masks let through."""
        node = self.editorNode()
        if node.GetMaskMode() != 0:  # not EditAllowedEverywhere
            voxels = voxels & (labelmapVoxels(self._mask()) == 0)
        if node.GetSourceVolumeIntensityMask():
            low, high = node.GetSourceVolumeIntensityMaskRange()
            source = labelmapVoxels(self._source())
            voxels = voxels & (source >= low) & (source <= high)
        return voxels

    def _labelmap(self, voxels: NDArray[np.bool_], modifier: Node) -> Node:
        """The voxels as a labelmap on the modifier's grid, no larger than needed."""
        import slicer
        import vtk

        labelmap = slicer.vtkOrientedImageData()
        matrix = vtk.vtkMatrix4x4()
        modifier.GetImageToWorldMatrix(matrix)
        labelmap.SetImageToWorldMatrix(matrix)
        block = filledBlock(voxels)
        # With an intensity mask Slicer refuses a labelmap of another size than the image.
        if block is None or self.editorNode().GetSourceVolumeIntensityMask():
            block = (slice(0, None), slice(0, None), slice(0, None))
        part = voxels[block]
        first = modifier.GetExtent()[::2]
        extent: list[int] = []
        for axis in range(3):
            start = first[axis] + (block[2 - axis].start or 0)
            extent += [start, start + part.shape[2 - axis] - 1]
        labelmap.SetExtent(extent)
        scalarsFromArray(part.view(np.uint8)[..., np.newaxis], labelmap)
        return labelmap

    def _modifier(self) -> Node:
        """An oriented image on the grid that Slicer edits on; its voxels do not matter."""
        raise NotImplementedError

    def _mask(self) -> Node:
        """An oriented image on the same grid, 0 where editing is allowed."""
        raise NotImplementedError

    def _source(self) -> Node:
        """The source volume's intensities on the same grid."""
        raise NotImplementedError

    def _modify(self, segmentId: str, labelmap: Node, adding: bool) -> None:
        raise NotImplementedError


class LogicEditor(Editor):
    """Slicer's editing without its widget, with an undo history of its own.

    editorNode: whose masks to obey (None: a node of its own, without masks, that is not saved).
    keepsHistory: False when another editor saves the undo steps.
    """

    def __init__(
        self, scene: Scene = None, editorNode: Node = None, keepsHistory: bool = True
    ) -> None:
        import slicer

        self._scene = currentScene(scene)
        self._logic: Any = slicer.vtkSlicerSegmentEditorLogic()
        self._logic.SetMRMLScene(self._scene)
        self._given = editorNode
        self._own: Node = None
        if not keepsHistory:
            self._logic.SetSegmentationHistory(None)

    def editorNode(self) -> Node:
        """See Editor; made again after the scene was closed."""
        if self._given is not None:
            return self._given
        if self._own is None or self._own.GetScene() is None:
            node = self._scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetName("DiffusionSeg editor")
            node.SetSaveWithScene(False)
            self._own = self._scene.AddNode(node)
        return self._own

    def begin(self, segmentationNode: Node, volumeNode: Node) -> None:
        """See EditorPort."""
        self._logic.SetSegmentEditorNode(self.editorNode())
        self._logic.SetSegmentationNode(segmentationNode)
        self._logic.SetSourceVolumeNode(volumeNode)

    def saveState(self) -> None:
        """See EditorPort."""
        self._logic.SaveStateForUndo()

    def undo(self) -> None:
        """See EditorPort; without a step nothing happens."""
        if self._logic.CanUndo():
            self._logic.Undo()

    def redo(self) -> None:
        """Take the last undo back."""
        if self._logic.CanRedo():
            self._logic.Redo()

    def _modifier(self) -> Node:
        self._logic.UpdateReferenceGeometryImage()
        self._logic.ResetModifierLabelmapToDefault()
        return self._logic.GetModifierLabelmap()

    def _mask(self) -> Node:
        self._logic.UpdateMaskLabelmap()
        return self._logic.GetMaskLabelmap()

    def _source(self) -> Node:
        self._logic.UpdateAlignedSourceVolume()
        return self._logic.GetAlignedSourceVolume()

    def _modify(self, segmentId: str, labelmap: Node, adding: bool) -> None:
        logic = self._logic
        mode = logic.ModificationModeAdd if adding else logic.ModificationModeRemove
        segmentation = self.editorNode().GetSegmentationNode()
        logic.ModifySegmentByLabelmap(segmentation, segmentId, labelmap, mode, False, False)
