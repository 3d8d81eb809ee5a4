"""Turning a shown result into segments: one undo step, other segments left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.editor_port import EditorPort
from DiffusionSegBridge.new_segment import addSegment, createSegmentationFor, tagSegment
from DiffusionSegBridge.nodes import Node, currentScene, nodeName
from DiffusionSegBridge.segments import readSegments, segmentOf
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegBridge.size_words import sizeInWords
from DiffusionSegBridge.terminology import labelFor
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.provenance import TAG_PREFIX
from DiffusionSegLib.nouns.verdict import Verdict

__all__ = ["LABEL_TAG", "Accepted", "Rules", "Target", "acceptResult"]

# Which label of its model a segment holds, so that it can be refined with the same model.
LABEL_TAG = TAG_PREFIX + "label"


@dataclass(frozen=True)
class Target:
    """Where a result goes. segmentationNode None: a new one; segmentIds: label value to the
    segment that takes it, other labels get a new segment."""

    segmentationNode: Node = None
    segmentIds: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """overwrite: "none" (other segments are left alone), "visible", "all" or "editor" (as the
    Segment Editor is set). before: the mask that the result was made from (a refinement): only
    what differs from it is changed, so that later edits stay, and only in the segments that were
    refined."""

    overwrite: str = "none"
    before: Mask | None = None


@dataclass(frozen=True)
class Accepted:
    """What was made. segmentIds: label value to segment; mask: what the segments now hold on the
    image's grid (None when nothing was made); words: one sentence for the user."""

    segmentationNode: Node
    segmentIds: Mapping[int, str]
    words: str
    mask: Mask | None = None


def acceptResult(
    result: ShownResult,
    threshold: float,
    target: Target,
    editor: EditorPort,
    rules: Rules | None = None,
) -> Accepted:
    """Write the shown candidate into segments as one undo step of ``editor``.

    An empty outline, and a verdict NOT_FOUND, make and change no segment and say so. Raises
    InputError when the volume is gone or has other voxels, and what the editor raises.
    """
    rules = rules or Rules()
    volume = _volume(result)
    nothing = _whyNothing(result, threshold)
    if nothing:
        return Accepted(target.segmentationNode, {}, nothing)
    segmentation = _segmentation(target, volume)
    target = replace(target, segmentationNode=segmentation)
    editor.begin(segmentation, volume)
    editor.saveState()
    with editor.overwriting(rules.overwrite):
        segmentIds = _write(result, threshold, volume, target, editor, rules)
    if not segmentIds:
        return Accepted(segmentation, {}, "The refined segments were deleted meanwhile.")
    mask = readSegments(segmentation, segmentIds, worldGeometry(volume))
    words = _words(result, segmentation, segmentIds, mask)
    if editor.isMasked():
        words += " The Segment Editor's mask protects some voxels; they stayed as they were."
    return Accepted(segmentation, segmentIds, words, mask)


def _write(
    result: ShownResult,
    threshold: float,
    volume: Node,
    target: Target,
    editor: EditorPort,
    rules: Rules,
) -> dict[int, str]:
    """Change segment by segment; returns the segment of each label that has one."""
    geometry = worldGeometry(volume)
    outline = result.mask(threshold)
    segmentIds: dict[int, str] = {}
    for label in result.labels:
        inside = outline == label.value
        segmentId = _existing(target, label.value)
        if segmentId is None and (rules.before is not None or not inside.any()):
            continue
        if segmentId is None:
            segmentId = _newSegment(result, label, volume, target.segmentationNode)
            before = np.zeros_like(inside)
        else:
            before = _before(label.value, segmentId, target.segmentationNode, geometry, rules)
        editor.remove(segmentId, before & ~inside, geometry)
        editor.add(segmentId, inside & ~before, geometry)
        _tag(result, label, segmentOf(target.segmentationNode, segmentId))
        segmentIds[label.value] = segmentId
    return segmentIds


def _existing(target: Target, value: int) -> str | None:
    """The segment chosen for a label, unless it was deleted meanwhile."""
    segmentId = target.segmentIds.get(value)
    segmentation = target.segmentationNode.GetSegmentation()
    known = segmentId is not None and segmentation.GetSegment(segmentId) is not None
    return segmentId if known else None


def _newSegment(result: ShownResult, label: Label, volume: Node, segmentation: Node) -> str:
    """What was typed names the structure, when there is only one."""
    text = str(result.proposal.provenance.prompt.get("text", ""))
    if text and len(result.labels) == 1:
        label = labelFor(text, replace(label, name=text))
    return addSegment(segmentation, label, f"{nodeName(volume)} {label.name}")


def _before(
    value: int, segmentId: str, segmentation: Node, geometry: Geometry, rules: Rules
) -> NDArray[np.bool_]:
    if rules.before is not None:
        return np.asarray(rules.before.resampled(geometry).array == value)
    return readSegments(segmentation, {1: segmentId}, geometry).array != 0


def _tag(result: ShownResult, label: Label, segment: Node) -> None:
    tagSegment(segment, result.proposal.provenance, result.proposal.verdict)
    segment.SetTag(LABEL_TAG, str(label.value))


def _volume(result: ShownResult) -> Node:
    volume = currentScene().GetNodeByID(result.volumeNodeId)
    if volume is None:
        raise InputError("The volume of this outline is gone, so it cannot be accepted.")
    if worldGeometry(volume).shape_kji != result.geometry.shape_kji:
        raise InputError(
            f"The volume {nodeName(volume)!r} was replaced by one of another size since it was "
            "outlined; run it again."
        )
    return volume


def _segmentation(target: Target, volume: Node) -> Node:
    """The one that was chosen, or a new one."""
    if target.segmentationNode is None:
        return createSegmentationFor(volume, f"{nodeName(volume)} segmentation")
    if target.segmentationNode.GetScene() is None:
        raise InputError("The segmentation was deleted meanwhile; choose another and accept again.")
    return target.segmentationNode


def _whyNothing(result: ShownResult, threshold: float) -> str:
    """One sentence when there is nothing to accept, else ""."""
    verdict = result.proposal.verdict
    if verdict.state is Verdict.NOT_FOUND:
        return f"Not found, so no segment was made: {verdict.reason}"
    if result.isEmpty(threshold):
        return (
            f"The outline is empty at a threshold of {threshold:.2f}, so no segment was made; "
            "lower the threshold."
        )
    return ""


def _words(
    result: ShownResult, segmentation: Node, segmentIds: Mapping[int, str], mask: Mask
) -> str:
    parts = [
        f"{segmentOf(segmentation, segmentId).GetName()} "
        f"({sizeInWords(int(np.count_nonzero(mask.array == value)), mask.geometry)})"
        for value, segmentId in segmentIds.items()
    ]
    words = f"Accepted: {', '.join(parts)}."
    if result.proposal.verdict.state is Verdict.UNCERTAIN:
        words += f" Uncertain, please check: {result.proposal.verdict.reason}"
    return words
