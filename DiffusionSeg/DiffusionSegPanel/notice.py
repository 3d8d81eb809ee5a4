"""A box at the top of the page for what needs attention. Never a dialog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Notice"]


class Notice:
    """One or more sentences and, where something can be done at once, a button.

    canInstall: whether installing packages would help.
    """

    def __init__(
        self,
        ui: Any,
        onTryAgain: Callable[[], None],
        onInstall: Callable[[], None],
        canInstall: Callable[[], bool],
    ) -> None:
        self._ui, self._onTryAgain, self._onInstall = ui, onTryAgain, onInstall
        self._canInstall = canInstall
        self._standing = ""
        self._passing = ""
        ui.noticeButton.connect("clicked()", self._onClicked)
        ui.noticeInstallButton.connect("clicked()", onInstall)
        self._show()

    @property
    def text(self) -> str:
        """What is shown; "" while the box is hidden."""
        return "\n".join(part for part in (self._standing, self._passing) if part)

    def stand(self, sentence: str) -> None:
        """Say something that holds as long as Slicer runs."""
        self._standing = sentence
        self._show()

    def tell(self, sentence: str) -> None:
        """Say something that trying again may change; "" takes it back."""
        if sentence != self._passing:
            self._passing = sentence
            self._show()

    def cleanup(self) -> None:
        """The button calls back no more."""
        self._ui.noticeButton.disconnect("clicked()", self._onClicked)
        self._ui.noticeInstallButton.disconnect("clicked()", self._onInstall)

    def _onClicked(self) -> None:
        self.tell("")
        self._onTryAgain()

    def _show(self) -> None:
        self._ui.noticeLabel.text = self.text
        self._ui.noticeButton.setVisible(bool(self._passing))
        self._ui.noticeInstallButton.setVisible(bool(self._passing) and self._canInstall())
        self._ui.noticeFrame.setVisible(bool(self.text))
