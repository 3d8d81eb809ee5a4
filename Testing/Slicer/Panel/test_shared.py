"""The page and the Segment Editor effect use one worker and know the same masks."""

from __future__ import annotations

from typing import Any

import pytest

from Testing.Slicer.Panel.toy_results import arrive, toyVolume


def test_one_worker_for_both(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's while there is a page, else one of its own that ends when the page comes."""
    from DiffusionSegPanel import shared as module

    made: list[Any] = []

    class Client:
        isClosed = False

        def describe(self) -> Any:
            return self

        def when_done(self, _receiver: Any) -> None:
            """Never answers."""

        def close(self) -> None:
            self.isClosed = True

    monkeypatch.setattr(module, "createClient", lambda _: made.append(Client()) or made[-1])
    common = module.Shared()
    assert common.link() is opened.page.link
    page, opened.widget.page = opened.page, None
    try:
        own = common.link()
        assert own is common.link() and own is not page.link
        assert len(made) == 1 and own.client is made[0]
    finally:
        opened.widget.page = page
    assert common.link() is page.link
    assert made[0].isClosed


def test_what_the_page_accepts_the_effect_knows(opened: Any, scene: Any) -> None:
    from DiffusionSegPanel.shared import shared

    arrive(opened, toyVolume(opened, scene))
    opened.page.result.ui.acceptButton.click()
    segmentation = opened.page.refine.editor.segmentationNode()
    key = opened.page.refine.editor.currentSegmentID()
    assert shared().knownMasks.knows(segmentation, key)
    scene.Clear(0)
    assert not shared().knownMasks.knows(segmentation, key)
