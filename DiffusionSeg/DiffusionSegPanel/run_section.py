"""One button, Segment or Stop, and what is happening, in words."""

from __future__ import annotations

import math
import time
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegPanel.appearance import mute
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.words import progressInWords

__all__ = ["RunSection"]

_TICKS = 1000
_QUIET_S = 0.5
_BLINK_S = 0.4  # a double click, or the time in which nobody reads another word on the button


class RunSection:
    """The button and the lines under it. Knows nothing of images; says what it is told.

    blinkS: a press so soon after the button turned was meant for what it said before. Signals:
    segmentRequested, stopRequested, stopHereRequested.
    """

    def __init__(self, ui: Any) -> None:
        self.segmentRequested, self.stopRequested = Signal(), Signal()
        self.stopHereRequested = Signal()
        self._ui = ui
        self._isRunning = self._isQuiet = False
        self.blinkS = _BLINK_S
        self._startS = 0.0
        self._turnedS = -math.inf  # when the button came to mean the other thing
        self._whyNot = self._said = self._estimate = ""
        mute(ui.statusLabel)
        ui.segmentButton.connect("clicked()", self._onClicked)
        ui.stopHereButton.connect("clicked()", self._onStopHere)
        self._show()

    def cleanup(self) -> None:
        """The buttons call back no more."""
        self._ui.segmentButton.disconnect("clicked()", self._onClicked)
        self._ui.stopHereButton.disconnect("clicked()", self._onStopHere)

    def setReady(self, whyNot: str) -> None:
        """``whyNot``: the sentence why Segment cannot be pressed, or ""."""
        if whyNot != self._whyNot:
            self._whyNot = whyNot
            self._show()

    def setEstimate(self, words: str) -> None:
        """What a run would cost; shown until something else has to be said."""
        self._estimate = words
        self._show()

    def say(self, sentence: str) -> None:
        """How the last run ended; stays until the next one."""
        self._said = sentence
        self._show()

    def start(self, kind: str) -> None:
        """A run began. One of kind "again" is shown only if it takes long: it follows a slider,
        and nothing may move under the mouse."""
        self._startS = time.monotonic()
        self._turn(isRunning=True, isQuiet=kind == "again")
        if self._isQuiet:
            return
        self._said = ""
        ui = self._ui
        ui.progressBar.setRange(0, 0)  # busy, until the first report
        ui.stopHereButton.setVisible(kind == "propose")
        ui.stopHereButton.setEnabled(True)
        self._show()
        ui.statusLabel.text = _("Handing the image over")

    def progress(self, report: Any) -> None:
        """A WorkerProgress arrived."""
        if self._isQuiet and time.monotonic() - self._startS > _QUIET_S:
            self._turn(isRunning=True)
            self._show()
        if self._isRunning and not self._isQuiet:
            self._ui.progressBar.setRange(0, _TICKS)
            self._ui.progressBar.setValue(round(_TICKS * report.fraction))
            self._ui.statusLabel.text = progressInWords(report)

    def stop(self, sentence: str) -> None:
        """The run ended, in whatever way; ``sentence`` says how."""
        self._turn(isRunning=False)
        self._ui.stopHereButton.setVisible(False)
        self.say(sentence)

    def click(self) -> None:
        """As if the button were pressed; a disabled one is not."""
        self._ui.segmentButton.click()

    def _onClicked(self) -> None:
        """Stop that is pressed when the run ends begins no other one, and a double click is one
        press."""
        if time.monotonic() - self._turnedS < self.blinkS:
            return
        (self.stopRequested if self._isShown else self.segmentRequested).emit()

    def _onStopHere(self) -> None:
        self._ui.stopHereButton.setEnabled(False)
        self.stopHereRequested.emit()

    def _turn(self, isRunning: bool, isQuiet: bool = False) -> None:
        was = self._isShown
        self._isRunning, self._isQuiet = isRunning, isQuiet
        if self._isShown is not was:
            self._turnedS = time.monotonic()

    @property
    def _isShown(self) -> bool:
        return self._isRunning and not self._isQuiet

    def _show(self) -> None:
        ui = self._ui
        ui.progressBar.setVisible(self._isShown)
        ui.segmentButton.text = _("Stop") if self._isShown else _("Segment")
        ui.segmentButton.setEnabled(self._isShown or not self._whyNot)
        ui.segmentButton.toolTip = self._toolTip()
        if not self._isShown:
            ui.statusLabel.text = self._said or self._whyNot or self._estimate
            ui.statusLabel.setVisible(bool(ui.statusLabel.text))
        else:
            ui.statusLabel.setVisible(True)

    def _toolTip(self) -> str:
        if self._isShown:
            return _("Stop outlining; everything stays as it was (Ctrl+Return)")
        return self._whyNot or _("Outline the structure (Ctrl+Return)")
