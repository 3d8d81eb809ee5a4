"""Tags and terminology of a segment."""

from typing import Any

import pytest

from DiffusionSegBridge.segment_tags import setTerminology, tagOf, terminologyOf
from Testing.Slicer.Bridge.made import segmentation

pytestmark = pytest.mark.slicer


def test_a_tag_or_nothing(scene: Any) -> None:
    segment = segmentation(scene).GetSegmentation().GetSegment("a")
    assert tagOf(segment, "x") == ""
    segment.SetTag("x", "ü | b:c")
    assert tagOf(segment, "x") == "ü | b:c"


def test_terminology_as_slicer_has_it(scene: Any) -> None:
    """By tag, since the methods are younger than the oldest Slicer that is supported."""
    segment = segmentation(scene).GetSegmentation().GetSegment("a")
    setTerminology(segment, "a~b^c")
    assert terminologyOf(segment) == "a~b^c" == segment.GetTerminology()
    segment.RemoveTag("TerminologyEntry")
    assert terminologyOf(segment) == ""
