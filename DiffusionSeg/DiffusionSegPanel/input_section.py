"""The first thing on the page: volumes, method, model, and what they are."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegPanel.appearance import mute, setRowVisible
from DiffusionSegPanel.choice import Choice, modelsOf, smallPrint
from DiffusionSegPanel.connections import Connections

__all__ = ["InputSection"]


class InputSection:
    """Volumes, method and model <-> parameter node.

    parameterNode: returns the parameter node, or None while the scene is closed.
    """

    def __init__(self, ui: Any, parameterNode: Callable[[], Any]) -> None:
        self._ui, self._parameterNode = ui, parameterNode
        self._catalogue: Any = None
        self._updating = False
        mute(ui.summaryLabel)
        self._connections = Connections()
        self._connections.add(ui.inputSelector, "currentNodeChanged(vtkMRMLNode*)", self._onVolume)
        self._connections.add(ui.secondSelector, "currentNodeChanged(vtkMRMLNode*)", self._onSecond)
        self._connections.add(ui.methodCombo, "currentIndexChanged(int)", self._onMethod)
        self._connections.add(ui.modelCombo, "currentIndexChanged(int)", self._onModel)

    def cleanup(self) -> None:
        """The widgets call back no more."""
        self._connections.drop()

    def update(self, catalogue: Any, choice: Choice) -> None:
        """Show what the parameter node holds and the worker offers."""
        self._updating = True
        try:
            self._catalogue = catalogue
            self._updateCombos(choice)
            self._updateVolumes(choice)
            self._ui.summaryLabel.text = summary(choice) if catalogue else ""
            self._ui.summaryLabel.toolTip = self._ui.modelCombo.toolTip = smallPrint(choice) or _(
                "What the method was trained to outline"
            )
            self._ui.summaryLabel.setVisible(choice.method is not None)
        finally:
            self._updating = False

    def volumes(self) -> list[Any]:
        """The first and the second volume; None where none is chosen."""
        parameters = self._parameterNode()
        if parameters is None:
            return [None, None]
        return [parameters.inputVolume, parameters.secondVolume]

    def usedVolumes(self, choice: Choice) -> list[Any]:
        """The volumes that the model takes, as they are handed to the worker."""
        return [volume for volume, _name in self._named(choice)]

    def channelNames(self, choice: Choice) -> tuple[str, ...]:
        """What the model calls each of usedVolumes."""
        return tuple(name for _volume, name in self._named(choice))

    def _named(self, choice: Choice) -> list[tuple[Any, str]]:
        pairs = zip(self.volumes(), choice.inputs, strict=False)
        return [(volume, wanted.name) for volume, wanted in pairs if volume is not None]

    def _updateCombos(self, choice: Choice) -> None:
        methods = self._catalogue.methods if self._catalogue else ()
        models = modelsOf(self._catalogue, choice.method.name) if choice.method else ()
        _fill(self._ui.methodCombo, methods, choice.method)
        _fill(self._ui.modelCombo, models, choice.model)
        self._ui.methodCombo.toolTip = _methodToolTip(choice.method)

    def _updateVolumes(self, choice: Choice) -> None:
        ui, (first, second) = self._ui, self.volumes()
        ui.inputSelector.setCurrentNode(first)
        ui.secondSelector.setCurrentNode(second)
        takesTwo = len(choice.inputs) > 1
        setRowVisible(takesTwo, ui.secondLabel, ui.secondSelector)
        ui.inputLabel.text = choice.inputs[0].name if takesTwo else _("Volume")
        ui.secondLabel.text = choice.inputs[1].name if takesTwo else _("Second")

    def _onVolume(self, node: Any) -> None:
        self._write("inputVolume", node)

    def _onSecond(self, node: Any) -> None:
        self._write("secondVolume", node)

    def _onMethod(self, index: int) -> None:
        self._write("method", self._ui.methodCombo.itemData(index) or "")

    def _onModel(self, index: int) -> None:
        self._write("model", self._ui.modelCombo.itemData(index) or "")

    def _write(self, name: str, value: Any) -> None:
        parameters = self._parameterNode()
        if parameters is not None and not self._updating:
            setattr(parameters, name, value)


def summary(choice: Choice) -> str:
    """What was chosen, as rich text; names what it is not, and the licence."""
    parts = []
    if choice.model:
        parts.append(escape(choice.model.summary))
    elif choice.method:
        parts.append(escape(choice.method.summary))
    parts.append(_("Generative diffusion, not diffusion MRI. Not for clinical use."))
    if choice.model:
        parts.append(_("License of the weights: {licence}.").format(licence=_licence(choice.model)))
        parts += _download(choice.model)
    return " ".join(parts)


def _download(model: Any) -> list[str]:
    """What is to be done for a model that is not here yet; the licence is shown and asked there."""
    if model.state == "ready":
        return []
    size = f"{model.download_bytes / 1e9:.1f} GB" if model.download_bytes else _("size unknown")
    words = _(
        "Not downloaded yet ({size}): run <code>diffusionseg models download {name}</code> where "
        "the worker runs."
    )
    return [words.format(size=size, name=escape(model.id))]


def _licence(model: Any) -> str:
    name = escape(model.licence.name)
    return f'<a href="{escape(model.licence.url)}">{name}</a>' if model.licence.url else name


def shortTitle(entry: Any) -> str:
    """A title up to its explanation: "cDAL" of "cDAL: conditional diffusion ..."."""
    return str(entry.title).partition(":")[0]


def _methodToolTip(method: Any) -> str:
    if method is None:
        return _("How the structure is outlined")
    return f"{method.title}\n{method.summary}"


def _listed(entry: Any) -> str:
    """A model that is not here yet is listed as such."""
    title = shortTitle(entry)
    if getattr(entry, "state", "ready") == "ready":
        return title
    return _("{title} (not downloaded)").format(title=title)


def _fill(combo: Any, entries: Any, current: Any) -> None:
    """The entries' short titles with their names as data; nothing happens when they are there."""
    names = [entry.name for entry in entries]
    wanted = [(_listed(entry), entry.name) for entry in entries]
    shown = [(combo.itemText(index), combo.itemData(index)) for index in range(combo.count)]
    if shown != wanted:
        combo.clear()
        for title, name in wanted:
            combo.addItem(title, name)
    combo.setCurrentIndex(names.index(current.name) if current else -1)
