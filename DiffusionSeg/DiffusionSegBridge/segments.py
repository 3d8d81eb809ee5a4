"""Masks to segments and back, exact under every combination of linear transforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.labelmaps import (
    labelmapFor,
    labelmapGeometry,
    labelmapVoxels,
    wholeOffset,
)
from DiffusionSegBridge.nodes import Node, nodeName, required
from DiffusionSegBridge.regrid import NOWHERE, Block, blockOnGrid
from DiffusionSegBridge.segment_tags import terminologyOf
from DiffusionSegBridge.transforms import worldMatrix
from DiffusionSegLib.errors import InputError, OutputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask

__all__ = [
    "presentSegment",
    "readSegments",
    "segmentGeometry",
    "segmentOf",
    "uniqueSegmentName",
    "writeSegment",
]

_LABELMAP = "Binary labelmap"


def writeSegment(
    mask_kji: NDArray[np.uint8] | NDArray[np.bool_],
    geometry: Geometry,
    segmentationNode: Node,
    segmentId: str,
    extentOnly: Sequence[slice] | None = None,
) -> None:
    """Replace a segment by the voxels above 0 of a mask on a world grid; other segments stay.

    Where another segment has voxels too, both keep them (they go to layers of their own).
    `extentOnly` (three slices in k, j, i of this grid) changes only that block and keeps the rest
    of the segment, which then moves to this grid. Raises InputError for a wrong shape, an unknown
    segment, or a segmentation made of surfaces; GeometryError under a non-linear transform;
    OutputError when Slicer does not take the voxels.
    """
    import slicer

    mask = _checked(mask_kji, geometry)
    segmentOf(segmentationNode, segmentId)
    _requireLabelmaps(segmentationNode)
    if extentOnly is not None:
        before = readSegments(segmentationNode, {1: segmentId}, geometry).array.view(np.bool_)
        before[tuple(extentOnly)] = mask[tuple(extentOnly)]
        mask = before
    labelmap = labelmapFor(mask, geometry, segmentationNode)
    _leaveForeignLayer(segmentationNode, segmentId, geometry)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not logic.SetBinaryLabelmapToSegment(
        labelmap, segmentationNode, segmentId, logic.MODE_REPLACE
    ):
        raise OutputError(
            f"3D Slicer could not change the segment {segmentId!r} of "
            f"{nodeName(segmentationNode)!r}; the error log says why."
        )


def readSegments(
    segmentationNode: Node, segmentIdByValue: Mapping[int, str], geometry: Geometry
) -> Mask:
    """The segments as a mask on a world grid, exact where the grids agree, else the nearest voxel.

    Where segments overlap the later one in the mapping wins. Labels carry names, colours and
    terminology of the segments. Raises InputError for an unknown segment, GeometryError under a
    non-linear transform.
    """
    array = np.zeros(geometry.shape_kji, np.uint8)
    labels = []
    for value, segmentId in segmentIdByValue.items():
        segment = segmentOf(segmentationNode, segmentId)
        labels.append(Label(value, segment.GetName(), segment.GetColor(), terminologyOf(segment)))
        block, inside = _voxels(segmentationNode, segmentId, geometry)
        np.copyto(array[block], value, where=inside)
    return Mask(array, geometry, tuple(labels))


def segmentGeometry(segmentationNode: Node, segmentId: str) -> Geometry | None:
    """The world grid of the voxels that a segment's layer holds; None when it holds none."""
    segment = segmentOf(segmentationNode, segmentId)
    return labelmapGeometry(_labelmap(segmentationNode, segment, segmentId), segmentationNode)


def uniqueSegmentName(segmentationNode: Node, name: str) -> str:
    """`name`, with " 2", " 3"... when the segmentation has a segment of that name already."""
    segmentation = segmentationNode.GetSegmentation()
    count = segmentation.GetNumberOfSegments()
    taken = {segmentation.GetNthSegment(index).GetName() for index in range(count)}
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name} {number}", number + 1
    return candidate


def segmentOf(segmentationNode: Node, segmentId: str) -> Any:
    """The vtkSegment; raises InputError when it is gone."""
    node = required(segmentationNode, "segmentation")
    segment = node.GetSegmentation().GetSegment(segmentId) if segmentId else None
    if segment is None:
        raise InputError(
            f"The segmentation {nodeName(node)!r} has no segment with the ID {segmentId!r}; it may "
            "have been deleted, so choose another."
        )
    return segment


def presentSegment(segmentationNode: Node, segmentId: str | None) -> str:
    """The ID while that segment is there, else "": an editor names the one that was chosen in the
    segmentation before, or that was deleted, until it has chosen another."""
    if segmentationNode is None or not segmentId:
        return ""
    isThere = segmentationNode.GetSegmentation().GetSegment(segmentId) is not None
    return segmentId if isThere else ""


def _checked(
    mask_kji: NDArray[np.uint8] | NDArray[np.bool_], geometry: Geometry
) -> NDArray[np.bool_]:
    if mask_kji.shape != geometry.shape_kji:
        raise InputError(
            f"A mask of {mask_kji.shape} voxels does not fit an image of {geometry.shape_kji}."
        )
    return mask_kji.astype(np.bool_, copy=False)


def _requireLabelmaps(segmentationNode: Node) -> None:
    if segmentationNode.GetSegmentation().GetSourceRepresentationName() != _LABELMAP:
        raise InputError(
            f"The segmentation {nodeName(segmentationNode)!r} is made of surfaces, not voxels; "
            "convert it in the Segmentations module (Representations, Binary labelmap, 'Create', "
            "then 'Make source') or choose another."
        )


def _leaveForeignLayer(segmentationNode: Node, segmentId: str, geometry: Geometry) -> None:
    """Take the segment out of a layer with another grid.

    Slicer would resample the other segments in it to the new grid.
    """
    segmentation = segmentationNode.GetSegmentation()
    neighbours: list[str] = []  # not IsSharedBinaryLabelmap, which says the opposite
    segmentation.GetSegmentIDsSharingBinaryLabelmapRepresentation(segmentId, neighbours, False)
    if not neighbours:
        return
    labelmap = segmentation.GetSegment(segmentId).GetRepresentation(_LABELMAP)
    layer = labelmapGeometry(labelmap, segmentationNode)
    if layer is not None and wholeOffset(layer, geometry) is None:
        segmentation.SeparateSegmentLabelmap(segmentId)


def _voxels(
    segmentationNode: Node, segmentId: str, geometry: Geometry
) -> tuple[Block, NDArray[np.bool_]]:
    """A block of the world grid, and whether each voxel of it is in the segment; none outside."""
    segment = segmentOf(segmentationNode, segmentId)
    labelmap = _labelmap(segmentationNode, segment, segmentId)
    source = labelmapGeometry(labelmap, segmentationNode)
    if source is None:
        return NOWHERE, np.zeros((0, 0, 0), np.bool_)
    # Several segments share one labelmap, each with its own value.
    part = labelmapVoxels(labelmap) == segment.GetLabelValue()
    return blockOnGrid(part, source, geometry)


def _labelmap(segmentationNode: Node, segment: Any, segmentId: str) -> Node:
    """The layer that holds the segment; made from its surface when there is nothing else."""
    import slicer

    worldMatrix(segmentationNode)  # a non-linear transform is refused before anything is made
    labelmap = segment.GetRepresentation(_LABELMAP)
    if labelmap is None:
        labelmap = slicer.vtkOrientedImageData()
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.GetSegmentBinaryLabelmapRepresentation(segmentationNode, segmentId, labelmap, False)
    return labelmap
