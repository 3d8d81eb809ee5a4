"""A new segmentation in the right place, and a new segment with its name, colour and origin."""

from __future__ import annotations

from typing import Any

from DiffusionSegBridge.nodes import Node
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict

__all__ = ["addSegment", "createSegmentationFor", "tagSegment"]


def createSegmentationFor(volumeNode: Node, name: str) -> Node:
    """A segmentation node on the volume's grid, under its transform and in its study."""
    raise NotImplementedError


def addSegment(segmentationNode: Node, label: Label, name: str = "") -> str:
    """A new empty segment with the label's colour and terminology; returns its ID.

    `name` is what the user typed (made unique); without it the label's name.
    """
    raise NotImplementedError


def tagSegment(
    segment: Any, provenance: Provenance | None = None, verdict: PresenceVerdict | None = None
) -> None:
    """Write where the outline came from into a vtkSegment's tags, and mark it as in progress."""
    raise NotImplementedError
