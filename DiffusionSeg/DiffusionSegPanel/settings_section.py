"""Settings: device, worker, seed, samples, the method's parameters, system report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from DiffusionSegLib.worker.command import default_command
from DiffusionSegPanel.appearance import mute
from DiffusionSegPanel.catalogue_view import ParameterForm
from DiffusionSegPanel.choice import Choice, withMethodParameters
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.setup_words import whereItRuns
from DiffusionSegPanel.worker_settings import environmentInUse

__all__ = ["SettingsSection"]

_AUTOMATIC = "auto"


class SettingsSection:
    """Machine settings go to ``settings`` (WorkerSettings), the study's to the parameter node.

    Signals: commandChanged (after it was stored), testRequested (command as typed),
    reportRequested, deviceChanged, opened, setupRequested.
    """

    def __init__(self, ui: Any, parameterNode: Callable[[], Any], settings: Any) -> None:
        self.commandChanged, self.testRequested = Signal(), Signal()
        self.reportRequested, self.deviceChanged = Signal(), Signal()
        self.opened, self.setupRequested = Signal(), Signal()
        self._ui, self._parameterNode, self._settings = ui, parameterNode, settings
        self._updating = False
        self._hello: Any = None
        self._choice = Choice(None, None)
        self.parameters = ParameterForm(ui.parametersWidget)
        self.parameters.changed.connect(self.storeParameter)
        self.showCommand()
        mute(ui.deviceReasonLabel)
        mute(ui.workerUsedLabel)
        mute(ui.workerResultLabel)
        self._connections = Connections()
        self._connections.add(ui.settingsSection, "contentsCollapsed(bool)", self._onCollapsed)
        self._connections.add(ui.deviceCombo, "currentIndexChanged(int)", self._onDevice)
        self._connections.add(ui.workerEdit, "editingFinished()", self._onCommand)
        self._connections.add(ui.workerTestButton, "clicked()", self._onTest)
        self._connections.add(ui.seedSpinBox, "valueChanged(int)", self._onSeed)
        self._connections.add(ui.samplesSpinBox, "valueChanged(int)", self._onSamples)
        self._connections.add(ui.reportButton, "clicked()", self.reportRequested.emit)
        self._connections.add(ui.setupButton, "clicked()", self.setupRequested.emit)

    def cleanup(self) -> None:
        """The widgets call back no more."""
        self._connections.drop()
        self.parameters.clear()

    @property
    def isOpen(self) -> bool:
        """Whether the user looks at it."""
        return not self._ui.settingsSection.collapsed

    @property
    def device(self) -> Any:
        """The DeviceReport that is chosen; None for the worker's own choice."""
        devices = self._hello.devices if self._hello else ()
        return next((one for one in devices if one.name == self._settings.device), None)

    @property
    def deviceName(self) -> str:
        """The chosen device as a Setup takes it; a device that is no longer there is "auto"."""
        if self._hello is None:
            return str(self._settings.device)
        return str(self.device.name) if self.device else _AUTOMATIC

    def update(self, hello: Any, choice: Choice) -> None:
        """Show the devices, the seed and the parameters."""
        parameters, ui = self._parameterNode(), self._ui
        self._hello, self._choice = hello, choice
        self._updating = True
        try:
            self._updateDevices()
            if parameters is not None:
                ui.seedSpinBox.setValue(parameters.seed)
                ui.samplesSpinBox.setValue(parameters.samples)
                if choice.method is not None:
                    values = choice.parameters(parameters)
                    self.parameters.update(choice.method.parameters, values)
        finally:
            self._updating = False
        ui.parametersLine.setVisible(bool(choice.method and choice.method.parameters))

    def sayOfTest(self, sentence: str, isRunning: bool = False) -> None:
        """Show how the test of the worker goes."""
        self._ui.workerResultLabel.text = sentence
        self._ui.workerResultLabel.setVisible(bool(sentence))
        self._ui.workerTestButton.setEnabled(not isRunning)

    def showCommand(self) -> None:
        """Show the worker command, and what an empty one means now."""
        self._ui.workerEdit.text = self._settings.command
        self._sayWhichIsUsed()

    def copy(self, text: str) -> None:
        """Put a text on the clipboard and say so."""
        qt.QApplication.clipboard().setText(text)
        self._ui.reportButton.text = _("Copied to the clipboard")

    def _sayWhichIsUsed(self) -> None:
        own = environmentInUse()
        python = default_command()[0]
        words, path = whereItRuns(self._settings.command, own, python)
        self._ui.workerUsedLabel.text, self._ui.workerUsedLabel.toolTip = words, path
        self._ui.workerUsedLabel.setVisible(bool(words))

    def _updateDevices(self) -> None:
        combo, devices = self._ui.deviceCombo, self._hello.devices if self._hello else ()
        entries = [(_("Automatic"), _AUTOMATIC, "")]
        entries += [(_deviceTitle(one), one.name, one.reason) for one in devices]
        shown = [(combo.itemText(i), combo.itemData(i)) for i in range(combo.count)]
        if shown != [entry[:2] for entry in entries]:
            combo.clear()
            for index, (title, name, reason) in enumerate(entries):
                combo.addItem(title, name)
                combo.setItemData(index, reason, qt.Qt.ToolTipRole)
        names = [name for _title, name, _reason in entries]
        name = self._settings.device
        combo.setCurrentIndex(names.index(name) if name in names else 0)
        chosen = self.device
        self._ui.deviceReasonLabel.text = chosen.reason if chosen else ""
        self._ui.deviceReasonLabel.setVisible(bool(chosen and not chosen.usable))
        combo.toolTip = _devicesToolTip(devices)

    def _onCollapsed(self, collapsed: bool) -> None:
        if not collapsed:
            self.opened.emit()

    def _onDevice(self, index: int) -> None:
        if not self._updating and index >= 0:
            self._settings.device = self._ui.deviceCombo.itemData(index)
            self.deviceChanged.emit()

    def _onCommand(self) -> None:
        text = self._ui.workerEdit.text.strip()
        if text != self._settings.command:
            self._settings.command = text
            self.sayOfTest("")
            self._sayWhichIsUsed()
            self.commandChanged.emit()

    def _onTest(self) -> None:
        self.testRequested.emit(self._ui.workerEdit.text)

    def _onSeed(self, value: int) -> None:
        self._write("seed", value)

    def _onSamples(self, value: int) -> None:
        self._write("samples", value)

    def storeParameter(self, name: str, value: Any) -> None:
        """Save a value of the method's parameter with the study."""
        parameters, method = self._parameterNode(), self._choice.method
        if parameters is None or method is None:
            return
        values = {**self._choice.parameters(parameters), name: value}
        defaults = {spec.name: spec.default for spec in method.parameters}
        changed = {key: kept for key, kept in values.items() if kept != defaults.get(key)}
        parameters.parametersJson = withMethodParameters(
            parameters.parametersJson, method.name, changed
        )

    def _write(self, name: str, value: Any) -> None:
        parameters = self._parameterNode()
        if parameters is not None and not self._updating:
            setattr(parameters, name, value)


def _devicesToolTip(devices: Any) -> str:
    reasons = [f"{one.title}: {one.reason}" for one in devices if not one.usable]
    return "\n".join([_("Where the model computes"), *reasons])


def _deviceTitle(device: Any) -> str:
    return device.title if device.usable else _("{title} (unusable)").format(title=device.title)
