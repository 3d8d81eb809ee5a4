"""ADZUS in the panel, with the real worker and the bundled backbone: click, step, slide, refine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from DiffusionSegBridge.segments import readSegments, writeSegment
from DiffusionSegBridge.volumes import worldGeometry
from Testing.Slicer.Panel.conftest import SAMPLES

LESION = SAMPLES / "isic2017_98" / "images" / "ISIC_0012221.jpg"
TRUTH = SAMPLES / "isic2017_98" / "labels" / "ISIC_0012221.png"


def lesion() -> tuple[np.ndarray, np.ndarray]:
    """The green of a photograph at half its size, (1, 170, 256), and which pixels are the lesion.

    Green, because a volume in Slicer has one value a voxel.
    """
    green = np.asarray(Picture.open(LESION).convert("RGB"))[::2, ::2, 1]
    inside = np.asarray(Picture.open(TRUTH))[::2, ::2] > 0
    return green.astype(np.float32)[None], inside[None]


IMAGE, INSIDE = lesion()
CENTER = (0, *(int(axis.mean()) for axis in np.nonzero(INSIDE)[1:]))  # k, j, i


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


@pytest.fixture
def adzus(opened: Any, scene: Any) -> Any:
    """The page with ADZUS chosen and a picture with one click in it."""
    import slicer

    node = slicer.util.addVolumeFromArray(IMAGE, name="Lesion")
    node.CreateDefaultDisplayNodes()
    page = opened.page
    page.parameters.inputVolume = node
    page.parameters.method = "adzus"
    opened.until(lambda: page.choice().method and page.choice().method.name == "adzus")
    opened.until(lambda: opened.ui.segmentButton.enabled)
    opened.ui.includeButton.click()
    opened.settle()
    place = worldGeometry(node).kji_to_ras([CENTER])[0]
    page.parameters.includePoints.AddControlPoint(*place)
    opened.settle()
    opened.node = node
    return opened


def segmented(adzus: Any) -> Any:
    adzus.ui.segmentButton.click()
    adzus.until(lambda: adzus.page.result.shown is not None)
    return adzus.page.result.answer.proposal


def test_a_click_is_answered_with_candidates_from_part_to_whole(adzus: Any) -> None:
    page, ui = adzus.page, adzus.ui
    assert ui.textEdit.enabled
    proposal = segmented(adzus)
    assert proposal.provenance.model == "adzus/compact"
    assert proposal.provenance.rule.startswith("clicks: ")
    assert proposal.mask().array[CENTER] == 1
    result = page.result.ui
    count = 1 + len(proposal.alternatives)
    assert count > 1
    assert result.candidateLabel.text == f"1 of {count}, the main one"
    shown = [page.result.shown.mask(0.5)]
    for number in range(2, count + 1):
        result.nextCandidateButton.click()
        assert result.candidateLabel.text.startswith(f"{number} of {count}: ")
        shown.append(page.result.shown.mask(0.5))
    assert all(mask.any() for mask in shown)
    assert dice(shown[0] > 0, INSIDE) > 0.85
    assert len({int((mask > 0).sum()) for mask in shown}) == count, "no two are the same"


def test_the_slider_leads_from_part_to_whole(adzus: Any) -> None:
    segmented(adzus)
    page = adzus.page
    slider = page.live.form.widgets["granularity"]
    assert (slider.minimum, slider.maximum, slider.value) == (0.0, 1.0, 0.5)
    images, sizes = len(page.link.client.sent), []

    def made_with() -> Any:
        return page.result.answer.proposal.provenance.parameters.get("granularity", 0.5)

    for value in (0.0, 1.0):
        slider.value = value
        adzus.until(lambda value=value: made_with() == value)
        sizes.append(int(page.result.shown.mask(0.5).sum()))
    assert len(page.link.client.sent) == images
    assert sizes[0] < sizes[1]


def test_an_accepted_outline_is_refined_around_what_was_painted(adzus: Any) -> None:
    segmented(adzus)
    page = adzus.page
    results = adzus.finished()
    page.result.accept()
    segmentation = page.refine.editor.segmentationNode()
    geometry = worldGeometry(adzus.node)
    ids = dict(page.result._earlier.segmentIds)
    before = readSegments(segmentation, ids, geometry).array.copy()
    painted = before.copy()
    painted[0, 5:8, 5:9] = 1
    painted[0, CENTER[1] : CENTER[1] + 3, CENTER[2] + 3 : CENTER[2] + 6] ^= 1
    for value, key in ids.items():
        writeSegment(painted == value, geometry, segmentation, key)
    page.parameters.includePoints.RemoveAllControlPoints()
    page.refine.ui.refineButton.click()
    adzus.until(lambda: results)
    assert results[0].kind == "refine"
    assert results[0].proposal.provenance.rule.startswith("refine: ")
    page.result.accept()
    now = readSegments(segmentation, ids, geometry).array
    user = painted != before
    assert user.sum() > 15
    np.testing.assert_array_equal(now[user], painted[user])


def test_words_that_the_panel_sends_are_answered(adzus: Any) -> None:
    page, ui = adzus.page, adzus.ui
    ui.textEdit.text = "dark lesion"
    adzus.settle()
    assert page.request()[2].text == "dark lesion"
    proposal = segmented(adzus)
    assert proposal.labels[0].name == "dark lesion"
    assert "The text only names the result" in proposal.verdict.reason
