"""The result on the page: threshold, candidates, doubt, verdict, accept or discard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from DiffusionSegPanel.plain_signal import Signal

__all__ = ["ResultSection"]


class ResultSection:
    """Shows what the outliner found in ``placeholder`` and in the slice views.

    outliner: its `finished`, `previewed`, `started`, `failed` and `stopped` are listened to.
    parameterNode: returns the parameter node (or None while the scene is closed).
    resourcePath: as ScriptedLoadableModuleWidget.resourcePath. Emits `accepted` (Accepted,
    OutlineResult), `discarded` () and `said` (sentence for the status line).
    """

    def __init__(
        self,
        placeholder: Any,
        outliner: Any,
        parameterNode: Callable[[], Any],
        resourcePath: Callable[[str], str],
    ) -> None:
        self.accepted, self.discarded, self.said = Signal(), Signal(), Signal()
        self._placeholder, self._outliner = placeholder, outliner
        self._parameterNode = parameterNode

    def setEditor(self, editor: Any) -> None:
        """The EditorPort whose undo steps an accepted result becomes one of."""

    def enter(self) -> None:
        """The module is shown."""

    def exit(self) -> None:
        """The module is left: previews and overlays go from the slice views."""

    def cleanup(self) -> None:
        """The page is closed for good; may be called again."""

    def onSceneClose(self) -> None:
        """Everything shown is gone with the scene."""
