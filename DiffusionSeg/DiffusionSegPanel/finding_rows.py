"""What was found to be wrong: a sentence each, with the one button that mends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from DiffusionSegLib.environments.finding import Finding, Remedy
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["FindingRows"]

_SPACING = 8


class FindingRows:
    """Rows in ``parent``. Signals: mendRequested (Finding), postponed (Finding)."""

    def __init__(self, parent: Any) -> None:
        self.mendRequested, self.postponed = Signal(), Signal()
        self._parent = parent
        self._layout = qt.QVBoxLayout()
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(_SPACING)
        parent.setLayout(self._layout)
        self._shown: tuple[Finding, ...] = ()
        self._rows: list[Any] = []
        self.buttons: dict[str, Any] = {}  # that mend, by the finding's code; the first of each
        self.later: dict[str, Any] = {}  # Not now, likewise
        parent.setVisible(False)

    def update(self, findings: Sequence[Finding], canPostpone: bool) -> None:
        """Show these; what does not block may be put aside."""
        if tuple(findings) != self._shown:
            self.clear()
            self._shown = tuple(findings)
            for finding in findings:
                self._add(finding)
        for button in self.later.values():
            button.setVisible(canPostpone)
        self._parent.setVisible(bool(findings))

    def clear(self) -> None:
        """Remove all rows."""
        for row in self._rows:
            self._layout.removeWidget(row)
            row.hide()
            row.setParent(None)
            row.deleteLater()
        self._rows, self._shown, self.buttons, self.later = [], (), {}, {}

    def _add(self, finding: Finding) -> None:
        row, layout = qt.QWidget(), qt.QVBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        row.setLayout(layout)
        label = qt.QLabel(finding.sentence)
        label.setWordWrap(True)
        label.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
        label.toolTip = _("What was found")
        layout.addWidget(label)
        line = qt.QHBoxLayout()
        words = _buttonWords(finding.remedy)
        if words is not None:
            text, toolTip = words
            button = _button(text, toolTip, self._slot(self.mendRequested, finding))
            self.buttons.setdefault(finding.code, button)
            line.addWidget(button)
        if not finding.blocks:
            later = _button(
                _("Not now"),
                _("Go on without; this is not said again on this computer"),
                self._slot(self.postponed, finding),
            )
            self.later.setdefault(finding.code, later)
            line.addWidget(later)
        line.addStretch(1)
        layout.addLayout(line)
        self._layout.addWidget(row)
        self._rows.append(row)

    def _slot(self, signal: Signal, finding: Finding) -> Callable[[], None]:
        def onClicked() -> None:
            signal.emit(finding)

        return onClicked


def _button(text: str, toolTip: str, slot: Callable[[], None]) -> Any:
    button = qt.QPushButton(text)
    button.toolTip = toolTip
    button.connect("clicked()", slot)
    return button


def _buttonWords(remedy: Remedy) -> tuple[str, str] | None:
    """Text and tool tip of the button; None where there is nothing to press."""
    return {
        Remedy.INSTALL_PACKAGES: (
            _("Install packages"),
            _("Install them into Slicer's own Python; Slicer asks before"),
        ),
        Remedy.CREATE_ENVIRONMENT: (
            _("Create environment"),
            _("Make an environment of its own for DiffusionSeg"),
        ),
        Remedy.REPAIR_ENVIRONMENT: (
            _("Repair"),
            _("Install again what is missing or broken, and keep what is good"),
        ),
        Remedy.INSTALL_TORCH: (
            _("Install torch"),
            _("Install torch with the extension PyTorch, which asks before"),
        ),
        Remedy.REPLACE_TORCH: (
            _("Replace torch"),
            _("Remove this torch and install the one that fits, with the extension PyTorch"),
        ),
        Remedy.INSTALL_PYTORCH_EXTENSION: (
            _("Install the PyTorch extension"),
            _("Download it with Slicer's Extensions Manager; Slicer must be restarted after that"),
        ),
        Remedy.UPDATE_DRIVER: (
            _("Driver page"),
            _("Open the page of NVIDIA's drivers in the web browser"),
        ),
    }.get(remedy)
