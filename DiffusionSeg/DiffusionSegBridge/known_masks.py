"""What segments held before they were edited by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.graded_outline import Block, boundingBlock
from DiffusionSegBridge.nodes import Node
from DiffusionSegBridge.regrid import onGrid
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["KnownMasks"]

_KEPT = 32


@dataclass(frozen=True)
class _Known:
    """One segment as it was; only the block with voxels is kept."""

    segmentationNode: Node
    segmentId: str
    geometry: Geometry
    block: Block
    part: NDArray[np.bool_]

    def on(self, geometry: Geometry) -> NDArray[np.bool_]:
        """(k, j, i) on a world grid."""
        whole = np.zeros(self.geometry.shape_kji, np.bool_)
        whole[self.block] = self.part
        return onGrid(whole, self.geometry, geometry)


class KnownMasks:
    """Segments as they were accepted or first seen; the latest 32 of all segments together.

    Several may be known of one segment, because an undo leads back to an earlier one.
    """

    def __init__(self) -> None:
        self._known: list[_Known] = []

    def remember(self, segmentationNode: Node, segmentIds: Mapping[int, str], mask: Mask) -> None:
        """The segments hold this mask now. `segmentIds`: label value to segment."""
        for value, segmentId in segmentIds.items():
            inside = mask.array == value
            block = boundingBlock(inside)
            # A copy: a view would keep the whole array alive.
            part = inside[block].copy()
            self._known.append(_Known(segmentationNode, segmentId, mask.geometry, block, part))
        self._known = self._known[-_KEPT:]

    def knows(self, segmentationNode: Node, segmentId: str) -> bool:
        """Whether anything is known of a segment."""
        return bool(self._of(segmentationNode, segmentId))

    def original(self, segmentationNode: Node, segmentIds: Mapping[int, str], edited: Mask) -> Mask:
        """The masks that the edited ones came from: of each segment the one that differs least.

        A segment of which nothing is known is taken as it is in `edited`.
        """
        array = np.zeros_like(edited.array)
        for value, segmentId in segmentIds.items():
            now = edited.array == value
            known = [one.on(edited.geometry) for one in self._of(segmentationNode, segmentId)]
            # The latest of those that differ equally little.
            best = min(reversed(known), key=lambda was: np.count_nonzero(was != now), default=now)
            array[best] = value
        return Mask(array, edited.geometry, edited.labels)

    def clear(self) -> None:
        """Forget everything: the scene was closed."""
        self._known = []

    def _of(self, segmentationNode: Node, segmentId: str) -> list[_Known]:
        # Nothing is held of nodes that left their scene.
        self._known = [one for one in self._known if one.segmentationNode.GetScene() is not None]
        return [
            one
            for one in self._known
            if one.segmentationNode is segmentationNode and one.segmentId == segmentId
        ]
