"""Small things of looks that a .ui file cannot say for light and dark themes alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

__all__ = ["mute", "setIcon", "setRowVisible"]


def mute(label: Any) -> None:
    """Secondary text: the theme's own weaker color, where this Slicer's Qt knows it."""
    role = getattr(qt.QPalette, "PlaceholderText", qt.QPalette.WindowText)
    label.setForegroundRole(role)


def setIcon(button: Any, resourcePath: Callable[[str], str], name: str) -> None:
    """An icon of Resources/Icons, which reads on light and dark."""
    button.setIcon(qt.QIcon(resourcePath(f"Icons/{name}.png")))


def setRowVisible(visible: bool, *widgets: Any) -> None:
    """Show or hide a label with its field; a hidden form row takes no room."""
    for widget in widgets:
        widget.setVisible(visible)
