"""The estimate of a run under way, in the slice views until the run ends."""

from __future__ import annotations

from typing import Any

from DiffusionSegBridge.estimate import estimateOf
from DiffusionSegBridge.preview import PreviewSegmentation
from DiffusionSegBridge.shown_result import ShownResult

__all__ = ["ResultEstimate"]


class ResultEstimate:
    """Nothing until the first estimate arrives."""

    def __init__(self) -> None:
        self._preview: PreviewSegmentation | None = None

    @property
    def isShown(self) -> bool:
        """Whether there is one."""
        return self._preview is not None

    def show(self, probability: Any, volumeNode: Any, threshold: float) -> None:
        """The newest estimate, an Image, at a threshold."""
        if self._preview is None:
            self._preview = PreviewSegmentation(volumeNode)
        self._preview.show(ShownResult(estimateOf(probability), volumeNode), threshold)

    def setVisible(self, isVisible: bool) -> None:
        """Show or hide what there is."""
        if self._preview is not None:
            self._preview.setVisible(isVisible)

    def remove(self) -> None:
        """The run has ended."""
        if self._preview is not None:
            self._preview.remove()
            self._preview = None
