"""A part of the page that has a .ui file of its own."""

from __future__ import annotations

from typing import Any

import qt
import slicer

__all__ = ["loadInto"]


def loadInto(placeholder: Any, path: str) -> Any:
    """Load a .ui file, let it fill the placeholder, and return its widgets by name."""
    root = slicer.util.loadUI(path)
    layout = qt.QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(root)
    placeholder.setLayout(layout)
    root.setMRMLScene(slicer.mrmlScene)
    return slicer.util.childWidgetVariables(root)
