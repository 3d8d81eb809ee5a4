"""What to outline: text, marks, scribble, and where to look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegBridge.prompts import promptFromNodes
from DiffusionSegBridge.terminology import completions
from DiffusionSegPanel.appearance import setIcon
from DiffusionSegPanel.box_tool import BoxTool
from DiffusionSegPanel.choice import Choice
from DiffusionSegPanel.input_section import shortTitle
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.point_tools import PointTools
from DiffusionSegPanel.scribble_tool import ScribbleTool
from DiffusionSegPanel.text_completion import TextCompletion
from DiffusionSegPanel.where_tool import WhereTool

__all__ = ["PromptSection"]


class PromptSection:
    """The prompt tools that the method takes; the others say why not in their tool tips.

    volume: returns the volume to be outlined, or None. history: returns texts used
    before. Signal: changed, after something that is not in the parameter node changed.
    """

    def __init__(
        self,
        ui: Any,
        parameterNode: Callable[[], Any],
        volume: Callable[[], Any],
        history: Callable[[], list[str]],
        resourcePath: Callable[[str], str],
    ) -> None:
        self.changed = Signal()
        self._ui, self._parameterNode = ui, parameterNode
        self._updating = False
        self.points = PointTools(ui, parameterNode)
        self.points.changed.connect(self.changed.emit)
        self.box = BoxTool(ui, parameterNode, volume, self.points.stopPlacing)
        self.scribble = ScribbleTool(ui, parameterNode)
        self.where = WhereTool(ui, parameterNode, volume, self.points.stopPlacing)
        self.completion = TextCompletion(ui.textEdit, history, completions)
        ui.textEdit.connect("textChanged(QString)", self._onText)
        for button, icon in (
            (ui.includeButton, "IncludePoint"),
            (ui.excludeButton, "ExcludePoint"),
            (ui.boxButton, "Box"),
            (ui.clearPointsButton, "Clear"),
        ):
            setIcon(button, resourcePath, icon)

    def cleanup(self) -> None:
        """No observer and no callback stays."""
        self._ui.textEdit.disconnect("textChanged(QString)", self._onText)
        for tool in (self.points, self.box, self.scribble, self.where, self.completion):
            tool.cleanup()

    def enter(self) -> None:
        """Show the marks in the views."""
        for tool in (self.points, self.box, self.where):
            tool.enter()

    def exit(self) -> None:
        """Hide the marks and stop placing."""
        for tool in (self.points, self.box, self.where):
            tool.exit()

    def update(self, choice: Choice) -> None:
        """Enable what the method takes and show what the parameter node holds."""
        self._updateText(whyNotTaken(choice, "text"))
        self.points.update(whyNotTaken(choice, "points"))
        self.box.update(whyNotTaken(choice, "boxes"))
        self.scribble.update(whyNotTaken(choice, "scribbles"))
        self.where.update()

    def prompt(self, choice: Choice, volumeNode: Any) -> Any:
        """The Prompt as it stands; what the method does not take is left out.

        Raises PromptError for a mark outside the volume.
        """
        parameters, taken = self._parameterNode(), choice.prompts
        boxes = [parameters.box] if "boxes" in taken and parameters.box is not None else []
        return promptFromNodes(
            text=parameters.text if "text" in taken else "",
            includePoints=parameters.includePoints if "points" in taken else None,
            excludePoints=parameters.excludePoints if "points" in taken else None,
            boxes=boxes,
            scribbles=self.scribble.scribbles() if "scribbles" in taken else None,
            region=self.where.region(volumeNode),
            volumeNode=volumeNode,
        )

    def _updateText(self, whyNot: str) -> None:
        parameters, edit = self._parameterNode(), self._ui.textEdit
        text = parameters.text if parameters is not None else ""
        edit.setEnabled(not whyNot)
        edit.toolTip = whyNot or _("Name the structure, for example: kidney tumor")
        edit.placeholderText = _("Not used by this method") if whyNot else _("kidney tumor")
        if edit.text != text:
            self._updating = True
            edit.text = text
            self._updating = False

    def _onText(self, text: str) -> None:
        parameters = self._parameterNode()
        if parameters is not None and not self._updating:
            parameters.text = text


def whyNotTaken(choice: Choice, kind: str) -> str:
    """Why the method cannot use a kind of prompt, or ""."""
    if choice.method is None:
        return _("Waiting for the worker.")
    if kind in choice.prompts:
        return ""
    return _("{method} works without {kind}.").format(
        method=shortTitle(choice.method), kind=_kindInWords(kind)
    )


def _kindInWords(kind: str) -> str:
    names = {
        "text": _("words"),
        "points": _("points"),
        "boxes": _("boxes"),
        "scribbles": _("scribbles"),
    }
    return names[kind]
