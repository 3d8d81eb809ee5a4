"""What segments held before they were edited by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from DiffusionSegBridge.graded_outline import Block, boundingBlock
from DiffusionSegBridge.nodes import Node
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["KnownMasks"]

_KEPT = 12


@dataclass(frozen=True)
class _Known:
    segmentationNode: Node
    segmentIds: Mapping[int, str]
    geometry: Geometry
    block: Block
    part: Mask | None

    def whole(self) -> Mask:
        """The mask again; only the block with voxels was kept."""
        array = np.zeros(self.geometry.shape_kji, np.uint8)
        if self.part is not None:
            array[self.block] = self.part.array
        return Mask(array, self.geometry, self.part.labels if self.part is not None else ())


class KnownMasks:
    """Masks of segments as they were accepted or first seen: the latest dozen.

    Several may be known for one segment, because an undo leads back to an earlier one.
    """

    def __init__(self) -> None:
        self._known: deque[_Known] = deque(maxlen=_KEPT)

    def remember(self, segmentationNode: Node, segmentIds: Mapping[int, str], mask: Mask) -> None:
        """The segments hold this mask now. `segmentIds`: label value to segment."""
        block = boundingBlock(mask.array)
        part = None
        if block[0].start < block[0].stop:
            # A copy: the whole array would be kept alive by a view of it.
            cut = mask.crop(block)
            part = Mask(cut.array.copy(), cut.geometry, cut.labels)
        ids = dict(segmentIds)
        self._known.append(_Known(segmentationNode, ids, mask.geometry, block, part))

    def knows(self, segmentationNode: Node, segmentIds: Mapping[int, str]) -> bool:
        """Whether anything is known of exactly these segments."""
        return any(self._of(segmentationNode, segmentIds))

    def original(
        self, segmentationNode: Node, segmentIds: Mapping[int, str], edited: Mask
    ) -> Mask | None:
        """The known mask that the edited one came from: the one with the fewest differences."""
        best, fewest = None, -1
        for known in reversed(self._of(segmentationNode, segmentIds)):
            whole = known.whole().resampled(edited.geometry)
            differing = int(np.count_nonzero(whole.array != edited.array))
            if best is None or differing < fewest:
                best, fewest = whole, differing
        return best

    def clear(self) -> None:
        """Forget everything: the scene was closed."""
        self._known.clear()

    def _of(self, segmentationNode: Node, segmentIds: Mapping[int, str]) -> list[_Known]:
        ids = dict(segmentIds)
        return [
            known
            for known in self._known
            if known.segmentationNode is segmentationNode and known.segmentIds == ids
        ]
