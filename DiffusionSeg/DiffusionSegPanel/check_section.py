"""The button of the full check, how far it is, its verdict and its report."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from DiffusionSegPanel.appearance import mute
from DiffusionSegPanel.check_words import toolTip
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.revealing import Revealer
from DiffusionSegPanel.words import progressInWords

__all__ = ["CheckSection"]

_TICKS = 1000


class CheckSection:
    """One button, Full check or Stop check, and what is under it; says what it is told.

    Signals: startRequested, stopRequested.
    """

    def __init__(self, ui: Any) -> None:
        self.startRequested, self.stopRequested = Signal(), Signal()
        self._ui = ui
        self._isRunning = False
        self._whyNot = ""
        self._revealer = Revealer(ui.checkWidget)
        mute(ui.checkStatusLabel)
        self._connections = Connections()
        self._connections.add(ui.fullCheckButton, "clicked()", self._onClicked)
        self._connections.add(ui.checkCopyButton, "clicked()", self._onCopy)
        self._connections.add(ui.checkCloseButton, "clicked()", self.clear)
        self.clear()

    def cleanup(self) -> None:
        """The buttons call back no more."""
        self._connections.drop()

    @property
    def hasReport(self) -> bool:
        """Whether a report is shown."""
        return bool(self._ui.checkReportText.plainText)

    def setReady(self, whyNot: str) -> None:
        """``whyNot``: the sentence why no check can be made now, or ""."""
        if whyNot != self._whyNot:
            self._whyNot = whyNot
            self._show()

    def begin(self) -> None:
        """A check began."""
        self.clear()
        self._isRunning = True
        self._ui.checkProgressBar.setRange(0, 0)  # busy, until the first report
        self._say(_("Starting"))
        self._show()
        self._revealer.want()  # the button is the last thing of the panel

    def poll(self) -> None:
        """The layout had time."""
        self._revealer.poll()

    def progress(self, report: Any) -> None:
        """A ProgressReport arrived."""
        if self._isRunning and self._ui.fullCheckButton.enabled and report.stage:
            self._ui.checkProgressBar.setRange(0, _TICKS)
            self._ui.checkProgressBar.setValue(round(_TICKS * report.fraction))
            self._say(progressInWords(report))

    def stopping(self) -> None:
        """Stop was pressed; the end is near."""
        self._ui.fullCheckButton.setEnabled(False)
        self._say(_("Stopping"))

    def end(self, sentence: str, report: str = "") -> None:
        """It ended: how, and the whole report if there is one."""
        ui = self._ui
        if self._isRunning and self._revealer.isSeen:  # who has turned to other things stays there
            self._revealer.want()
        self._isRunning = False
        self._say("")
        ui.checkVerdictLabel.text = sentence
        ui.checkVerdictLabel.setVisible(bool(sentence))
        ui.checkReportText.setPlainText(report)
        ui.checkReportText.setVisible(bool(report))
        ui.checkCopyButton.text = _("Copy report")
        ui.checkCopyButton.setVisible(bool(report))
        ui.checkCloseButton.setVisible(bool(sentence or report))
        self._show()

    def clear(self) -> None:
        """As if no check had been made."""
        self.end("")

    def _say(self, words: str) -> None:
        self._ui.checkStatusLabel.text = words
        self._ui.checkStatusLabel.setVisible(bool(words))

    def _show(self) -> None:
        ui, isRunning = self._ui, self._isRunning
        ui.fullCheckButton.text = _("Stop check") if isRunning else _("Full check")
        ui.fullCheckButton.setEnabled(isRunning or not self._whyNot)
        ui.fullCheckButton.toolTip = toolTip(isRunning, self._whyNot)
        ui.checkProgressBar.setVisible(isRunning)
        ui.checkWidget.setVisible(isRunning or bool(ui.checkVerdictLabel.text))

    def _onClicked(self) -> None:
        (self.stopRequested if self._isRunning else self.startRequested).emit()

    def _onCopy(self) -> None:
        qt.QApplication.clipboard().setText(self._ui.checkReportText.plainText)
        self._ui.checkCopyButton.text = _("Copied to the clipboard")
