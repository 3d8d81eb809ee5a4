"""What the page and the Segment Editor effect have in common: the worker, and known masks."""

from __future__ import annotations

from typing import Any

import slicer

from DiffusionSegBridge.known_masks import KnownMasks
from DiffusionSegBridge.segment_groups import acceptedTogether
from DiffusionSegBridge.segments import readSegments
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegPanel.worker_link import WorkerLink
from DiffusionSegPanel.worker_settings import WorkerSettings, createClient

__all__ = ["Shared", "rememberAsSeen", "shared"]

_NAME = "DiffusionSegShared"


class Shared:
    """Lives as long as Slicer; the link is the page's while there is a page."""

    def __init__(self) -> None:
        self.knownMasks = KnownMasks()
        self._own = WorkerLink(createClient)
        slicer.app.connect("aboutToQuit()", self._own.close)

    def link(self) -> WorkerLink:
        """A connected WorkerLink: one worker is enough for both. Without a client while the page
        lets none start, since its files are being changed."""
        page = self._page()
        if page is not None:
            self._own.close()
            page.keeper.start()
            return page.link
        if self._own.isDown:
            self._own.connect(WorkerSettings().command)
        return self._own

    def closeOwn(self) -> None:
        """End the worker that is not the page's: its files are about to change."""
        self._own.close()

    def _page(self) -> Any:
        return getattr(getattr(slicer.modules, "DiffusionSegWidget", None), "page", None)


def shared() -> Shared:
    """The one of this Slicer; kept where Slicer keeps its modules, so that a reload finds it."""
    found = getattr(slicer.modules, _NAME, None)
    if found is None:
        found = Shared()
        setattr(slicer.modules, _NAME, found)
    return found


def rememberAsSeen(known: KnownMasks, segmentation: Any, segmentId: str, volume: Any) -> None:
    """Segments that are seen for the first time: what is painted from here on is the user's."""
    together = acceptedTogether(segmentation, segmentId, "") or {1: segmentId}
    new = {value: key for value, key in together.items() if not known.knows(segmentation, key)}
    if new:
        known.remember(segmentation, new, readSegments(segmentation, new, worldGeometry(volume)))
