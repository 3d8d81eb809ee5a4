"""Masks to segments and back, exact under every combination of linear transforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.nodes import Node
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["readSegments", "segmentOf", "uniqueSegmentName", "writeSegment"]


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
    of the segment. Raises InputError for a wrong shape, an unknown segment, or a segmentation made
    of surfaces; GeometryError under a non-linear transform.
    """
    raise NotImplementedError


def readSegments(
    segmentationNode: Node, segmentIdByValue: Mapping[int, str], geometry: Geometry
) -> Mask:
    """The segments as a mask on a world grid, exact where the grids agree, else the nearest voxel.

    Where segments overlap the later one in the mapping wins. Labels carry names, colours and
    terminology of the segments. Raises InputError for an unknown segment.
    """
    raise NotImplementedError


def uniqueSegmentName(segmentationNode: Node, name: str) -> str:
    """`name`, with " 2", " 3"... when the segmentation has a segment of that name already."""
    raise NotImplementedError


def segmentOf(segmentationNode: Node, segmentId: str) -> Any:
    """The vtkSegment; raises InputError that names the segments there are."""
    raise NotImplementedError
