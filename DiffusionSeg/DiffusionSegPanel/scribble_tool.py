"""A segment as scribble: what was painted belongs to the structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from DiffusionSegBridge.prompts import Scribbles
from DiffusionSegLib.errors import PromptError
from DiffusionSegPanel.connections import Connections

__all__ = ["ScribbleTool"]


class ScribbleTool:
    """A check box, and under it the segment that is meant."""

    def __init__(self, ui: Any, parameterNode: Callable[[], Any]) -> None:
        self._ui, self._parameterNode = ui, parameterNode
        self._updating = False
        self._connections = Connections()
        self._connections.add(ui.scribbleCheckBox, "toggled(bool)", self._onToggled)
        self._connections.add(ui.scribbleSelector, "currentNodeChanged(vtkMRMLNode*)", self._onNode)
        self._connections.add(
            ui.scribbleSelector, "currentSegmentChanged(QString)", self._onSegment
        )

    def cleanup(self) -> None:
        """The widgets call back no more."""
        self._connections.drop()

    def update(self, whyNot: str) -> None:
        """Show what the parameter node holds; ``whyNot``: why no scribble is taken, or ""."""
        parameters, ui = self._parameterNode(), self._ui
        isUsed = parameters is not None and parameters.useScribble and not whyNot
        self._updating = True
        try:
            ui.scribbleCheckBox.setEnabled(not whyNot)
            ui.scribbleCheckBox.setChecked(isUsed)
            ui.scribbleCheckBox.toolTip = whyNot or _(
                "Voxels of a segment that you painted belong to the structure"
            )
            ui.scribbleSelector.setVisible(isUsed)
            if isUsed:
                ui.scribbleSelector.setCurrentNode(parameters.scribbleSegmentation)
                ui.scribbleSelector.setCurrentSegmentID(parameters.scribbleSegmentId)
        finally:
            self._updating = False

    def scribbles(self) -> Scribbles | None:
        """The segment to be used; None when none is. Raises PromptError when it is missing."""
        parameters = self._parameterNode()
        if not parameters.useScribble:
            return None
        node, segmentId = parameters.scribbleSegmentation, parameters.scribbleSegmentId
        if node is None or not segmentId or node.GetSegmentation().GetSegment(segmentId) is None:
            raise PromptError(
                _("No segment is chosen as scribble; choose one, or do without a scribble.")
            )
        return Scribbles(node, segmentId)

    def _onToggled(self, isUsed: bool) -> None:
        parameters = self._parameterNode()
        if parameters is None or self._updating:
            return
        if isUsed and parameters.scribbleSegmentation is None:
            parameters.scribbleSegmentation, parameters.scribbleSegmentId = _selectedSegment()
        parameters.useScribble = bool(isUsed)

    def _onNode(self, node: Any) -> None:
        self._write("scribbleSegmentation", node)

    def _onSegment(self, segmentId: str) -> None:
        self._write("scribbleSegmentId", str(segmentId))

    def _write(self, name: str, value: Any) -> None:
        parameters = self._parameterNode()
        if parameters is not None and not self._updating:
            setattr(parameters, name, value)


def _selectedSegment() -> tuple[Any, str]:
    """The segment selected in a Segment Editor, else the first of any segmentation."""
    for editor in slicer.util.getNodesByClass("vtkMRMLSegmentEditorNode"):
        node = editor.GetSegmentationNode()
        if node is not None and editor.GetSelectedSegmentID():
            return node, editor.GetSelectedSegmentID()
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        if not node.GetHideFromEditors() and node.GetSegmentation().GetNumberOfSegments():
            return node, node.GetSegmentation().GetNthSegmentID(0)
    return None, ""
