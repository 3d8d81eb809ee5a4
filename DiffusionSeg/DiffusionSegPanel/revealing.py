"""Scrolls the panel to what has just appeared at its end."""

from __future__ import annotations

from typing import Any

__all__ = ["Revealer"]

_ROUNDS = 5  # a layout takes some to find its height


class Revealer:
    """Keeps one widget in view for a moment after it changed; `poll` does it."""

    def __init__(self, widget: Any) -> None:
        self._widget, self._rounds = widget, 0

    @property
    def isSeen(self) -> bool:
        """Whether any of it is in view now."""
        return not self._widget.visibleRegion().isEmpty()

    def want(self) -> None:
        """Show it, as soon as its place is known."""
        self._rounds = _ROUNDS

    def poll(self) -> None:
        """Scroll, if that is wanted."""
        if self._rounds == 0:
            return
        self._rounds -= 1
        area = _scrollArea(self._widget)
        if area is not None:
            area.ensureWidgetVisible(self._widget)


def _scrollArea(widget: Any) -> Any:
    """The one around the widget, None where there is none."""
    while widget is not None and not widget.inherits("QScrollArea"):
        widget = widget.parentWidget()
    return widget
