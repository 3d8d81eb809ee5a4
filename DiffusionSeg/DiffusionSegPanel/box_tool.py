"""A box around the structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from DiffusionSegBridge.prompt_nodes import createBox, setShown
from DiffusionSegPanel.default_box import putBox
from DiffusionSegPanel.slice_views import sliceNodeNamed

__all__ = ["BoxTool"]

_SHARE = 0.3


class BoxTool:
    """One button: pressed, there is a box; pressed again, there is none.

    volume: returns the volume to put it into, or None. stopPlacing: a new node would else take over
    the clicks that are meant for points.
    """

    def __init__(
        self,
        ui: Any,
        parameterNode: Callable[[], Any],
        volume: Callable[[], Any],
        stopPlacing: Callable[[], None],
    ) -> None:
        self._ui, self._parameterNode, self._volume = ui, parameterNode, volume
        self._stopPlacing = stopPlacing
        ui.boxButton.connect("clicked()", self.toggle)

    def cleanup(self) -> None:
        """The button calls back no more."""
        self.exit()
        self._ui.boxButton.disconnect("clicked()", self.toggle)

    def enter(self) -> None:
        """Show the box."""
        setShown([self._node()], True)

    def exit(self) -> None:
        """Hide the box."""
        setShown([self._node()], False)

    def toggle(self) -> None:
        """Put a box in the middle of the view, or remove it."""
        parameters = self._parameterNode()
        if parameters is None or not self._ui.boxButton.enabled:
            return
        node, volume = parameters.box, self._volume()
        self._stopPlacing()
        if node is not None:
            parameters.box = None
            slicer.mrmlScene.RemoveNode(node)
        elif volume is not None:
            node = createBox(slicer.mrmlScene)
            putBox(node, volume, sliceNodeNamed(parameters.sliceViewName), _SHARE)
            setShown([node], True)
            parameters.box = node

    def update(self, whyNot: str) -> None:
        """``whyNot``: why the method takes no box, or ""."""
        button = self._ui.boxButton
        if not whyNot and self._volume() is None:
            whyNot = _("Choose a volume to put a box into.")
        button.setEnabled(not whyNot)
        button.setChecked(self._node() is not None)
        button.toolTip = whyNot or (
            _("Remove the box (B)")
            if button.checked
            else _("Put a box around the structure; drag its handles (B)")
        )

    def _node(self) -> Any:
        parameters = self._parameterNode()
        return None if parameters is None else parameters.box
