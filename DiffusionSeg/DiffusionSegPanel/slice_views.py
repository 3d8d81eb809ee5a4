"""The slice views by name, without their widgets."""

from __future__ import annotations

from typing import Any

import slicer

__all__ = ["sliceNodeNamed", "sliceViewNames"]


def sliceViewNames() -> list[str]:
    """Layout names of the slice views, such as Red, Green, Yellow."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    return sorted({node.GetLayoutName() or node.GetName() for node in nodes})


def sliceNodeNamed(name: str) -> Any:
    """The slice node of a view, or None."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    return next((node for node in nodes if (node.GetLayoutName() or node.GetName()) == name), None)
