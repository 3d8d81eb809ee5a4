"""Turning a shown result into segments: one undo step, other segments left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from DiffusionSegBridge.editor_port import EditorPort
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["Accepted", "Rules", "Target", "acceptResult"]


@dataclass(frozen=True)
class Target:
    """Where a result goes. segmentationNode None: a new one; segmentIds: label value to the
    segment that takes it, other labels get a new segment."""

    segmentationNode: Any = None
    segmentIds: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """overwrite: "none" (other segments are left alone), "visible", "all" or "editor" (as the
    Segment Editor is set). before: the mask that the result was made from (a refinement): only
    what differs from it is changed, so that later edits stay."""

    overwrite: str = "none"
    before: Mask | None = None


@dataclass(frozen=True)
class Accepted:
    """What was made. segmentIds: label value to segment; mask: what the segments now hold on the
    image's grid (None when nothing was made); words: one sentence for the user."""

    segmentationNode: Any
    segmentIds: Mapping[int, str]
    words: str
    mask: Mask | None = None


def acceptResult(
    result: ShownResult,
    threshold: float,
    target: Target,
    editor: EditorPort,
    rules: Rules = Rules(),
) -> Accepted:
    """Write the shown candidate into segments as one undo step of ``editor``.

    An empty outline, and a verdict NOT_FOUND, make no segment and say so. Raises InputError when
    the volume or the target is gone.
    """
    raise NotImplementedError
