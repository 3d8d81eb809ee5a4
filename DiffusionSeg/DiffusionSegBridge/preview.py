"""A result before it is accepted: a segmentation of its own that is never saved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.graded_outline import Block, GradedOutline, stepOf
from DiffusionSegBridge.labelmaps import labelmapVoxels
from DiffusionSegBridge.nodes import Node, Scene, currentScene
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegBridge.transforms import matrixFromArray, worldMatrix
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Color
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["ADDED_RGB", "REMOVED_RGB", "PreviewSegmentation"]

# Okabe and Ito, "Color universal design" (2008): told apart by colour-blind readers too.
ADDED_RGB: Color = (0.337, 0.706, 0.914)
REMOVED_RGB: Color = (0.835, 0.369, 0.0)
_KEPT_RGB: Color = (1.0, 1.0, 1.0)
_ADDED, _REMOVED, _KEPT = 1, 2, 3
_Segments = tuple[tuple[int, str, Color], ...]
_CHANGES: _Segments = (
    (_ADDED, "added", ADDED_RGB),
    (_REMOVED, "removed", REMOVED_RGB),
    (_KEPT, "kept", _KEPT_RGB),
)
_NAME = "DiffusionSeg preview"
_LABELMAP = "Binary labelmap"


class PreviewSegmentation:
    """Shows a result on top of a volume, in slice views only.

    Nothing of it is saved with the scene, and no selector or editor lists it. A change of the
    threshold writes into the same voxels again: nothing is allocated, copied or resampled.
    """

    def __init__(self, volumeNode: Node, scene: Scene = None) -> None:
        self._volumeNode = volumeNode
        self._scene = currentScene(scene)
        self._node: Node = None
        self._labelmap: Node = None
        self._voxels: NDArray[np.uint8] = np.zeros((0, 0, 0), np.uint8)
        self._written: Block | None = None
        self._made: tuple[_Segments, Geometry] | None = None
        self._change: _Change | None = None

    @property
    def node(self) -> Node:
        """The segmentation node while it is in the scene, else None."""
        return self._node if self._node is not None and self._node.GetScene() is not None else None

    def show(self, result: ShownResult, threshold: float, before: Mask | None = None) -> None:
        """Show the labels or, given the mask ``before``, what is kept, added and removed.

        ``before`` must not be changed while it is shown. A result on another grid than the
        volume's, such as an early estimate, is shown on its own grid.
        """
        if self.node is None:
            self._create()
        self._setSegments(result, before)
        if before is None:
            self._writeLabels(result.outline, threshold)
        else:
            self._writeChange(result, threshold, before)
        self._node.SetAndObserveTransformNodeID(self._volumeNode.GetTransformNodeID())
        self._announce()

    def setVisible(self, visible: bool) -> None:
        """Hide the preview for a while."""
        if self.node is not None:
            self._node.SetDisplayVisibility(visible)

    def remove(self) -> None:
        """Take the preview out of the scene; may be called again."""
        if self.node is not None:
            for part in (self._node.GetDisplayNode(), self._node):
                if part is not None:
                    self._scene.RemoveNode(part)
        self._node = self._labelmap = self._made = self._written = self._change = None
        self._voxels = np.zeros((0, 0, 0), np.uint8)

    def _create(self) -> None:
        """The node hides before it enters the scene, so that no selector picks it up."""
        node = self._scene.CreateNodeByClass("vtkMRMLSegmentationNode")
        node.UnRegister(None)
        node.SetName(_NAME)
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        node.SetSelectable(False)
        self._node = self._scene.AddNode(node)
        self._made = None
        self._node.CreateDefaultDisplayNodes()
        display = self._node.GetDisplayNode()
        display.SetSaveWithScene(False)
        # Surfaces would be computed again at every step of the slider.
        display.SetVisibility3D(False)

    def _createVoxels(self, geometry: Geometry) -> None:
        import slicer
        import vtk

        self._labelmap = slicer.vtkOrientedImageData()
        self._labelmap.SetImageToWorldMatrix(_placeOf(geometry, self._volumeNode))
        self._labelmap.SetDimensions(geometry.shape_kji[::-1])
        self._labelmap.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        self._voxels = labelmapVoxels(self._labelmap)
        # Writing touches every page now and not during the first drag.
        self._voxels.fill(0)
        self._written = self._change = None

    def _setSegments(self, result: ShownResult, before: Mask | None) -> None:
        """One segment per label, or three for what changes; made again only when they differ."""
        segments = _CHANGES
        if before is None:
            segments = tuple((part.value, part.name, part.color_rgb) for part in result.labels)
        if (segments, result.geometry) == self._made:
            return
        self._made = (segments, result.geometry)
        self._node.GetSegmentation().RemoveAllSegments()
        # Slicer rewrites a labelmap while it removes the segments that share it.
        self._createVoxels(result.geometry)
        for value, name, color in segments:
            self._addSegment(value, name, color)
        display = self._node.GetDisplayNode()
        display.SetAllSegmentsOpacity2DFill(0.5)
        if before is not None:
            # What is kept shows through: it looks as the segment below it does.
            display.SetSegmentOpacity2DFill(str(_KEPT), 0.0)

    def _addSegment(self, value: int, name: str, color: Color) -> None:
        import slicer

        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetColor(*color)
        segment.SetLabelValue(value)
        segment.AddRepresentation(_LABELMAP, self._labelmap)
        self._node.GetSegmentation().AddSegment(segment, str(value))

    def _writeLabels(self, outline: GradedOutline, threshold: float) -> None:
        self._clear(outline.block)
        outline.write(threshold, self._voxels)

    def _writeChange(self, result: ShownResult, threshold: float, before: Mask) -> None:
        if self._change is None or not self._change.isOf(result.outline, before):
            self._change = _Change(result.outline, before.resampled(result.geometry), before)
            self._voxels[:] = self._change.outside
        self._change.write(threshold, self._voxels)

    def _clear(self, block: Block) -> None:
        """Empty what an earlier, different outline left; the new one overwrites its own block."""
        if self._written is not None and self._written != block:
            self._voxels[self._written] = 0
        self._written = block

    def _announce(self) -> None:
        """Tell the views; the voxels were changed behind VTK's back."""
        import slicer

        self._labelmap.GetPointData().GetScalars().Modified()
        self._labelmap.Modified()
        segmentation = self._node.GetSegmentation()
        segmentation.InvokeEvent(slicer.vtkSegmentation.RepresentationModified)


def _placeOf(geometry: Geometry, volumeNode: Node) -> Node:
    """Voxel indices to the volume's own frame; the volume may have moved since it was sent, or have
    lost its voxels."""
    import vtk

    image = volumeNode.GetImageData()
    if image is not None and image.GetDimensions() == geometry.shape_kji[::-1]:
        matrix = vtk.vtkMatrix4x4()
        volumeNode.GetIJKToRASMatrix(matrix)
        return matrix
    return matrixFromArray(np.linalg.inv(worldMatrix(volumeNode)) @ geometry.ijk_to_ras)


class _Change:
    """What an outline keeps, adds and removes, ready to be written at any threshold.

    Inside the outline a voxel becomes `outside + step`, in whole numbers modulo 256.
    """

    def __init__(self, outline: GradedOutline, before: Mask, given: Mask) -> None:
        self._outline, self._given = outline, given
        self.outside: NDArray[np.uint8] = (before.array != 0) * np.uint8(_REMOVED)
        old = before.array[outline.block]
        relabelled = (old != 0) & (old != outline.values)
        self._base = self.outside[outline.block].copy()
        # From nothing to added and from removed to kept; from removed to added where the label
        # changes.
        self._step: NDArray[np.uint8] | int = 1
        if relabelled.any():
            self._step = np.where(relabelled, np.uint8(256 + _ADDED - _REMOVED), np.uint8(1))

    def isOf(self, outline: GradedOutline, given: Mask) -> bool:
        """Whether this was made for the same outline and mask."""
        return self._outline is outline and self._given is given

    def write(self, threshold: float, whole: NDArray[np.uint8]) -> None:
        """Set the outline's block; outside of it `outside` holds at every threshold."""
        part = whole[self._outline.block]
        inside = self._outline.level >= stepOf(threshold)
        np.multiply(inside, self._step, out=part, casting="unsafe")
        np.add(part, self._base, out=part)
