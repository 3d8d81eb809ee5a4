"""Which segments came from one result, and which label of the model each of them shows."""

from __future__ import annotations

from collections.abc import Sequence

from DiffusionSegBridge.accept import LABEL_TAG
from DiffusionSegBridge.nodes import Node
from DiffusionSegBridge.segment_tags import tagOf, terminologyOf
from DiffusionSegBridge.segments import segmentOf
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.provenance import TAG_PREFIX

__all__ = ["acceptedTogether", "labelOf", "tagOf"]


def acceptedTogether(segmentationNode: Node, segmentId: str, model: str) -> dict[int, str]:
    """Label value to segment for all that came with this one from one result of ``model``.

    `model`: as in `Provenance.model`, "" for any. Empty when the segment was drawn by hand, came
    from a file, or from another model.
    """
    segment = segmentOf(segmentationNode, segmentId)
    created = tagOf(segment, f"{TAG_PREFIX}created")
    if not created or not tagOf(segment, LABEL_TAG):
        return {}
    if model and tagOf(segment, f"{TAG_PREFIX}model") != model:
        return {}
    segmentation = segmentationNode.GetSegmentation()
    found: dict[int, str] = {}
    for key in segmentation.GetSegmentIDs():
        other = segmentation.GetSegment(key)
        label = tagOf(other, LABEL_TAG)
        if label.isdigit() and tagOf(other, f"{TAG_PREFIX}created") == created:
            found.setdefault(int(label), key)
    # A copy of a segment has its tags; the one that was chosen counts.
    found[int(tagOf(segment, LABEL_TAG))] = segmentId
    return found


def labelOf(segment: Node, labels: Sequence[Label]) -> Label | None:
    """The label whose name or terminology a segment has; the only one when there is one."""
    if len(labels) == 1:
        return labels[0]
    name, entry = segment.GetName().lower(), terminologyOf(segment)
    for label in labels:
        if label.terminology and label.terminology == entry:
            return label
    named = [label for label in labels if label.name.lower() in name]
    return max(named, key=lambda label: len(label.name)) if named else None
