"""A box at the top of the page for what needs attention. Never a dialog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Notice"]


class Notice:
    """One or more sentences and, where something can be done at once, a button.

    onSetUp: called with the extra ("text", "hub", "" for none) that would help.
    """

    def __init__(
        self, ui: Any, onTryAgain: Callable[[], None], onSetUp: Callable[[str], None]
    ) -> None:
        self._ui, self._onTryAgain, self._onSetUp = ui, onTryAgain, onSetUp
        self._standing = ""
        self._passing = ""
        self._extra: str | None = None
        ui.noticeButton.connect("clicked()", self._onClicked)
        ui.noticeSetupButton.connect("clicked()", self._onSetUpClicked)
        self._show()

    @property
    def text(self) -> str:
        """What is shown; "" while the box is hidden."""
        return "\n".join(part for part in (self._standing, self._passing) if part)

    def stand(self, sentence: str) -> None:
        """Say something that holds as long as Slicer runs."""
        self._standing = sentence
        self._show()

    def tell(self, sentence: str, extra: str | None = None) -> None:
        """Say something that trying again may change; "" takes it back.

        extra: what setting up would add ("" for what is always needed); None when that is no help.
        """
        if (sentence, extra) != (self._passing, self._extra):
            self._passing, self._extra = sentence, extra
            self._show()

    def cleanup(self) -> None:
        """The buttons call back no more."""
        self._ui.noticeButton.disconnect("clicked()", self._onClicked)
        self._ui.noticeSetupButton.disconnect("clicked()", self._onSetUpClicked)

    def _onClicked(self) -> None:
        self.tell("")
        self._onTryAgain()

    def _onSetUpClicked(self) -> None:
        extra = self._extra or ""
        self.tell("")
        self._onSetUp(extra)

    def _show(self) -> None:
        self._ui.noticeLabel.text = self.text
        self._ui.noticeButton.setVisible(bool(self._passing))
        self._ui.noticeSetupButton.setVisible(bool(self._passing) and self._extra is not None)
        self._ui.noticeFrame.setVisible(bool(self.text))
