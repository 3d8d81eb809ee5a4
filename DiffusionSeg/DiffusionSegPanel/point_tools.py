"""Include and exclude points, placed by click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from DiffusionSegBridge.prompt_nodes import createExcludePoints, createIncludePoints, setShown
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.placing import Placing
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["PointTools"]


class PointTools(VTKObservationMixin):
    """Two buttons that switch placing on and off, and one that removes all points.

    Signal: changed, after a point came or went.
    """

    def __init__(self, ui: Any, parameterNode: Callable[[], Any]) -> None:
        VTKObservationMixin.__init__(self)
        self.changed = Signal()
        self._ui, self._parameterNode = ui, parameterNode
        self._placing = Placing(slicer.mrmlScene)
        self._observed: list[Any] = []
        self._connections = Connections()
        self._connections.add(ui.includeButton, "clicked()", self.toggleInclude)
        self._connections.add(ui.excludeButton, "clicked()", self.toggleExclude)
        self._connections.add(ui.clearPointsButton, "clicked()", self.clear)

    def cleanup(self) -> None:
        """No placing, no observer, no callback stays."""
        self.exit()
        self._connections.drop()
        self._observe([])

    def enter(self) -> None:
        """Show the points."""
        setShown(self._nodes(), True)

    def exit(self) -> None:
        """Hide the points and stop placing them."""
        self.stopPlacing()
        setShown(self._nodes(), False)

    def stopPlacing(self) -> None:
        """Clicks no longer place points."""
        self._placing.stop(*self._nodes())

    def toggleInclude(self) -> None:
        """Start or stop placing points that belong to the structure."""
        self._toggle("includePoints", createIncludePoints, self._ui.includeButton)

    def toggleExclude(self) -> None:
        """Start or stop placing points that do not belong to it."""
        self._toggle("excludePoints", createExcludePoints, self._ui.excludeButton)

    def clear(self) -> None:
        """Remove all points."""
        for node in self._nodes():
            if node is not None:
                node.RemoveAllControlPoints()
        self._onChanged()

    def update(self, whyNot: str) -> None:
        """Show the numbers of points; ``whyNot``: why the method takes no points, or ""."""
        ui, (include, exclude) = self._ui, self._nodes()
        interaction = self._placing.interactionNode
        self._observe([node for node in (include, exclude, interaction) if node is not None])
        counts = [_count(include), _count(exclude)]
        ui.includeButton.text = _withCount(_("Include"), counts[0])
        ui.excludeButton.text = _withCount(_("Exclude"), counts[1])
        ui.includeButton.toolTip = whyNot or _("Click on places that belong to the structure (P)")
        ui.excludeButton.toolTip = whyNot or _(
            "Click on places that do not belong to the structure (Shift+P)"
        )
        for button, node in ((ui.includeButton, include), (ui.excludeButton, exclude)):
            button.setEnabled(not whyNot)
            button.setChecked(not whyNot and self._placing.isPlacing(node))
        ui.clearPointsButton.setEnabled(any(counts))

    def _nodes(self) -> list[Any]:
        parameters = self._parameterNode()
        if parameters is None:
            return [None, None]
        return [parameters.includePoints, parameters.excludePoints]

    def _toggle(self, name: str, create: Callable[[Any], Any], button: Any) -> None:
        parameters = self._parameterNode()
        if parameters is None or not button.enabled:
            return
        node = getattr(parameters, name)
        wasPlacing = self._placing.isPlacing(node)
        self.stopPlacing()
        if node is None:
            node = create(slicer.mrmlScene)
            setattr(parameters, name, node)
        if not wasPlacing:
            setShown([node], True)
            self._placing.start(node)
        self._onChanged()

    def _observe(self, nodes: list[Any]) -> None:
        if nodes == self._observed:
            return
        self.removeObservers()
        self._observed = nodes
        for node in nodes:
            for event in _events(node):
                self.addObserver(node, event, self._onChanged)

    def _onChanged(self, _caller: Any = None, _event: Any = None) -> None:
        self.changed.emit()


def _events(node: Any) -> tuple[int, ...]:
    if node.IsA("vtkMRMLInteractionNode"):
        return (node.InteractionModeChangedEvent,)
    return node.PointPositionDefinedEvent, node.PointRemovedEvent


def _count(node: Any) -> int:
    """Points that are placed; the one under the mouse pointer does not count."""
    if node is None:
        return 0
    statuses = [
        node.GetNthControlPointPositionStatus(index)
        for index in range(node.GetNumberOfControlPoints())
    ]
    return statuses.count(node.PositionDefined)


def _withCount(text: str, count: int) -> str:
    return f"{text} ({count})" if count else text
