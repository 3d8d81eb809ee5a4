"""The page for setting up: what is wrong, where to install, how far it is, what can be removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.environments.finding import Finding
from DiffusionSegPanel.appearance import mute
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.finding_rows import FindingRows
from DiffusionSegPanel.page_part import loadInto
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.setup_words import extraTitle

__all__ = ["SetupSection", "SetupState"]

_TICKS = 1000


@dataclass(frozen=True)
class SetupState:
    """What is shown. choices: with the choices where and what to install; busy: something is under
    way, and whether Stop ends it; installReason: why Install cannot be pressed, "" when it can;
    stopping: Stop was pressed."""

    introduction: str = ""
    findings: tuple[Finding, ...] = ()
    choices: bool = True
    closable: bool = False
    plan: str = ""
    busy: bool = False
    stoppable: bool = False
    installReason: str = ""
    slicerReason: str = ""
    canRepair: bool = False
    hasEnvironment: bool = False
    stopping: bool = False


class SetupSection:
    """Shows a SetupState and says what was pressed; knows nothing of packages.

    Signals: changed (a choice was made), installRequested, stopRequested, repairRequested,
    removeRequested, removeAllRequested, confirmed, kept, closed; those of `rows`.
    """

    def __init__(self, placeholder: Any, resourcePath: Any) -> None:
        self._placeholder = placeholder
        self.ui = ui = loadInto(placeholder, resourcePath("UI/DiffusionSegSetup.ui"))
        self.rows = FindingRows(ui.findingsWidget)
        self._updating = False
        for label in (ui.isolatedLabel, ui.slicerLabel, ui.planLabel, ui.setupStatusLabel):
            mute(label)
        self._titles = {"text": ui.textCheckBox.text, "hub": ui.hubCheckBox.text}
        for extra, box in self._boxes().items():
            box.text = extraTitle(self._titles[extra], extra)
        self._makeSignals()
        self._connections = Connections()
        self._connect()
        placeholder.setVisible(False)

    def _makeSignals(self) -> None:
        self.changed = Signal()
        self.installRequested, self.stopRequested = Signal(), Signal()
        self.repairRequested, self.removeRequested = Signal(), Signal()
        self.removeAllRequested, self.confirmed, self.kept = Signal(), Signal(), Signal()
        self.closed = Signal()

    def _connect(self) -> None:
        ui, add = self.ui, self._connections.add
        for button, signal in (
            (ui.installButton, self.installRequested),
            (ui.setupStopButton, self.stopRequested),
            (ui.repairButton, self.repairRequested),
            (ui.removeButton, self.removeRequested),
            (ui.removeAllButton, self.removeAllRequested),
            (ui.confirmButton, self.confirmed),
            (ui.keepButton, self.kept),
            (ui.setupCloseButton, self.closed),
        ):
            add(button, "clicked()", signal.emit)
        for box in (ui.isolatedRadio, *self._boxes().values(), ui.wheelsCheckBox):
            add(box, "toggled(bool)", self._onChanged)
        add(ui.wheelsEdit, "currentPathChanged(QString)", self._onChanged)

    def cleanup(self) -> None:
        """The widgets call back no more."""
        self._connections.drop()
        self.rows.clear()

    # What is chosen

    @property
    def isIsolated(self) -> bool:
        """Whether the environment of its own is chosen."""
        return bool(self.ui.isolatedRadio.checked)

    @property
    def extras(self) -> tuple[str, ...]:
        """Those that are ticked."""
        return tuple(extra for extra, box in self._boxes().items() if box.checked)

    @property
    def wheels(self) -> Path | None:
        """The folder or the bundle to install from; None for the network. A wheel stands for its
        folder: the file dialog chooses files only."""
        text = self.ui.wheelsEdit.currentPath.strip()
        if not text or not self.ui.wheelsCheckBox.checked:
            return None
        path = Path(text).expanduser()
        return path.parent if path.suffix == ".whl" else path

    @property
    def lacksWheels(self) -> bool:
        """Whether wheels are wanted and none were named."""
        return bool(self.ui.wheelsCheckBox.checked) and self.wheels is None

    def choose(self, isIsolated: bool, extras: Sequence[str], wheels: str) -> None:
        """Set the choices, silently."""
        self._updating = True
        try:
            ui = self.ui
            ui.isolatedRadio.checked, ui.slicerRadio.checked = isIsolated, not isIsolated
            for extra, box in self._boxes().items():
                box.checked = extra in extras
            ui.wheelsCheckBox.checked = bool(wheels)
            ui.wheelsEdit.setCurrentPath(wheels)
            self._showWheels()
        finally:
            self._updating = False

    # What is shown

    def setShown(self, shown: bool) -> None:
        """Show the page, or take it away."""
        self._placeholder.setVisible(shown)

    def show(self, state: SetupState) -> None:
        """Show it as it stands."""
        ui = self.ui
        _say(ui.setupIntroLabel, state.introduction)
        self.rows.update(state.findings, canPostpone=not state.closable)
        ui.choicesWidget.setVisible(state.choices)
        for control in (
            ui.isolatedRadio,
            *self._boxes().values(),
            ui.wheelsCheckBox,
            ui.wheelsEdit,
        ):
            control.setEnabled(not state.busy)
        ui.slicerRadio.setEnabled(not state.busy and not state.slicerReason)
        ui.slicerRadio.toolTip = state.slicerReason or _(
            "Install into the Python that Slicer and all its extensions share; Slicer asks before"
        )
        self._showWheels()
        _say(ui.planLabel, state.plan)
        ui.installButton.setVisible(state.choices and not state.busy)
        ui.installButton.setEnabled(not state.installReason)
        ui.installButton.toolTip = state.installReason or _(
            "Install what is missing, as it is described above"
        )
        ui.setupStopButton.setVisible(state.stoppable)
        ui.setupStopButton.setEnabled(not state.stopping)
        ui.setupCloseButton.setVisible(state.closable and not state.busy)
        ui.setupProgressBar.setVisible(state.busy)
        ui.maintenanceLine.setVisible(state.choices)
        ui.maintenanceWidget.setVisible(state.choices)
        ui.repairButton.setEnabled(state.canRepair and not state.busy)
        ui.removeButton.setEnabled(state.hasEnvironment and not state.busy)
        ui.removeAllButton.setEnabled(not state.busy)

    def begin(self, sentence: str) -> None:
        """Something begins: how it goes is shown from now on."""
        self.ui.setupProgressBar.setRange(0, 0)  # busy, until the first report
        self.say("")
        _say(self.ui.setupStatusLabel, sentence)

    def progress(self, report: Any) -> None:
        """A ProgressReport arrived."""
        self.ui.setupProgressBar.setRange(0, _TICKS)
        self.ui.setupProgressBar.setValue(round(_TICKS * report.fraction))
        if report.stage and self.ui.setupStopButton.enabled:
            _say(self.ui.setupStatusLabel, report.stage)

    def stopping(self) -> None:
        """Stop was pressed; the end is near."""
        self.ui.setupStopButton.setEnabled(False)
        _say(self.ui.setupStatusLabel, _("Stopping"))

    def say(self, sentence: str) -> None:
        """How it ended; stays until the next begin."""
        _say(self.ui.setupStatusLabel, "")
        _say(self.ui.setupResultLabel, sentence)

    def askToRemove(self, words: str) -> None:
        """List what would go, with a button that lets it go; "" takes the question back."""
        self.ui.removalLabel.text = words
        self.ui.removalWidget.setVisible(bool(words))

    def _boxes(self) -> dict[str, Any]:
        return {"text": self.ui.textCheckBox, "hub": self.ui.hubCheckBox}

    def _showWheels(self) -> None:
        isIsolated = self.isIsolated
        self.ui.wheelsCheckBox.setVisible(isIsolated)
        self.ui.wheelsEdit.setVisible(isIsolated and bool(self.ui.wheelsCheckBox.checked))

    def _onChanged(self) -> None:
        if not self._updating:
            self._showWheels()
            self.changed.emit()


def _say(label: Any, text: str) -> None:
    label.text = text
    label.setVisible(bool(text))
