"""Changing segments as the Segment Editor does: one undo step, masks and overwriting obeyed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["EditorPort"]


class EditorPort(Protocol):
    """What accepting a result needs of a Segment Editor.

    `LogicEditor` works without a desktop (Slicer 5.10 and later), `WidgetEditor` shares the undo
    steps of a Segment Editor that the user sees (every version).
    """

    def begin(self, segmentationNode: Any, volumeNode: Any) -> None:
        """Edit this segmentation, with this volume as source (for intensity masks)."""

    def saveState(self) -> None:
        """What is changed from here on is one undo step."""

    def add(self, segmentId: str, labelmap: Any) -> None:
        """Add the voxels of an oriented labelmap (in the segmentation's frame) to a segment."""

    def remove(self, segmentId: str, labelmap: Any) -> None:
        """Take the voxels of an oriented labelmap out of a segment."""

    def overwriting(self, mode: str) -> AbstractContextManager[None]:
        """Inside the block: "none" leaves other segments alone, "all" and "visible" take their
        voxels, "editor" does what the Segment Editor is set to."""

    def undo(self) -> None:
        """Take the last step back."""
