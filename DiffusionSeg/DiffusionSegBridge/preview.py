"""A result before it is accepted: a segmentation of its own that is never saved."""

from __future__ import annotations

from typing import Any

from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["PreviewSegmentation"]


class PreviewSegmentation:
    """Shows a result on top of a volume; nothing of it is saved, and editors do not list it."""

    def __init__(self, volumeNode: Any, scene: Any) -> None:
        self._scene, self._volumeNodeId = scene, volumeNode.GetID()

    def show(self, result: ShownResult, threshold: float, before: Mask | None = None) -> None:
        """Show the labels or, given the mask ``before``, what is kept, added and removed."""

    def remove(self) -> None:
        """Take the preview out of the scene; may be called again."""
