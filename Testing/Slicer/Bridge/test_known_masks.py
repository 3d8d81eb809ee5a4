"""What a segment was before it was edited is remembered, also across undo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.known_masks import KnownMasks
from DiffusionSegBridge.new_segment import addSegment, createSegmentationFor, tagSegment
from DiffusionSegBridge.segment_groups import acceptedTogether, labelOf
from DiffusionSegBridge.segments import segmentOf
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.provenance import Provenance
from Testing.Slicer.Bridge.results import maskOf, volume


@pytest.fixture
def node(scene: Any) -> Any:
    return volume(scene)


def _random(node: Any, seed: int) -> np.ndarray:
    shape = worldGeometry(node).shape_kji
    return np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)


def test_the_nearest_of_what_is_known_of_each_segment(node: Any) -> None:
    geometry = worldGeometry(node)
    segmentation = createSegmentationFor(node, "S")
    known = KnownMasks()
    first, second = _random(node, 1), _random(node, 2)
    known.remember(segmentation, {1: "a", 2: "b"}, maskOf(first, geometry))
    known.remember(segmentation, {1: "a"}, maskOf(second, geometry))
    assert known.knows(segmentation, "b") and not known.knows(segmentation, "c")
    edited = first.copy()
    edited[0, 0, 0:5] = 1
    found = known.original(segmentation, {1: "a", 2: "b"}, maskOf(edited, geometry))
    np.testing.assert_array_equal(found.array, first)
    found = known.original(segmentation, {7: "a"}, maskOf(7 * (second == 1), geometry))
    np.testing.assert_array_equal(found.array, 7 * (second == 1))


def test_an_unknown_segment_is_its_own_original(node: Any) -> None:
    segmentation = createSegmentationFor(node, "S")
    edited = maskOf(_random(node, 3), worldGeometry(node))
    found = KnownMasks().original(segmentation, {1: "a", 2: "b"}, edited)
    np.testing.assert_array_equal(found.array, edited.array)


def test_nothing_is_kept_of_a_removed_segmentation(node: Any) -> None:
    known, scene = KnownMasks(), node.GetScene()
    segmentation = createSegmentationFor(node, "S")
    known.remember(segmentation, {1: "a"}, maskOf(_random(node, 3), worldGeometry(node)))
    scene.RemoveNode(segmentation)
    assert not known.knows(segmentation, "a")
    assert not known._known


def test_segments_of_one_result(node: Any) -> None:
    segmentation = createSegmentationFor(node, "S")
    ids = [addSegment(segmentation, label_for(value), "") for value in (1, 2, 3)]
    for key, label, when in zip(ids, "124", ("a", "a", "b"), strict=True):
        segment = segmentOf(segmentation, key)
        tagSegment(segment, Provenance("cdal", "cdal/toy", created=when))
        segment.SetTag("DiffusionSeg.label", label)
    drawn = segmentation.GetSegmentation().AddEmptySegment()
    assert acceptedTogether(segmentation, ids[1], "cdal/toy") == {1: ids[0], 2: ids[1]}
    assert acceptedTogether(segmentation, ids[2], "") == {4: ids[2]}
    assert acceptedTogether(segmentation, ids[0], "cdal/other") == {}
    assert acceptedTogether(segmentation, drawn, "") == {}


def test_the_structure_by_terminology_then_by_name(node: Any) -> None:
    segmentation = createSegmentationFor(node, "S")
    labels = (label_for(1, "Edema", "entry"), label_for(2, "Tumor"), label_for(3, "Tumor rim"))
    key = addSegment(segmentation, label_for(1), "CT tumor rim")
    segment = segmentOf(segmentation, key)
    assert labelOf(segment, labels) is labels[2]
    segment.SetTerminology("entry")
    assert labelOf(segment, labels) is labels[0]
    other = segmentOf(segmentation, addSegment(segmentation, label_for(1), "thing"))
    assert labelOf(other, labels) is None
    assert labelOf(other, labels[:1]) is labels[0]
