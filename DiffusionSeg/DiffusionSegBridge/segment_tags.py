"""Words kept on a segment; its terminology is one of them."""

from __future__ import annotations

from DiffusionSegBridge.nodes import Node

__all__ = ["setTerminology", "tagOf", "terminologyOf"]


def tagOf(segment: Node, name: str) -> str:
    """A tag of a vtkSegment, "" without it."""
    import vtk

    value = vtk.reference("")
    return str(value.get()) if segment.GetTag(name, value) else ""


def terminologyOf(segment: Node) -> str:
    """The terminology entry of a vtkSegment, "" without one."""
    # By tag: GetTerminology and SetTerminology came after Slicer 5.8.
    return tagOf(segment, segment.GetTerminologyEntryTagName())


def setTerminology(segment: Node, entry: str) -> None:
    """Say what a vtkSegment shows, see `DiffusionSegLib.nouns.label.terminology_entry`."""
    segment.SetTag(segment.GetTerminologyEntryTagName(), entry)
