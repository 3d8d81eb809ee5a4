"""Refining on the page: Slicer's own editor on the accepted segment, and Refine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["RefineSection"]


class RefineSection:
    """Slicer's Segment Editor on the segments that were accepted, and a Refine button.

    resultSection: gets this editor's undo, and its `accepted` chooses what is edited.
    ``request`` must be set by the page: it returns (volumeNodes, Setup, Prompt) as they stand, or
    None when no volume is chosen; so a segment that came from a file can be refined as well.
    """

    def __init__(
        self,
        placeholder: Any,
        outliner: Any,
        resultSection: Any,
        resourcePath: Callable[[str], str],
    ) -> None:
        self.request: Callable[[], tuple[list[Any], Any, Any] | None] | None = None
        self._placeholder, self._outliner, self._result = placeholder, outliner, resultSection

    def enter(self) -> None:
        """The module is shown."""

    def exit(self) -> None:
        """The module is left: no effect stays active, no shortcut stays installed."""

    def cleanup(self) -> None:
        """The page is closed for good; may be called again."""

    def onSceneClose(self) -> None:
        """Everything edited is gone with the scene."""
