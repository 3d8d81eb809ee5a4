"""The controller: one job at a time on the worker, its news to the page, results by node ID."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.errors import DiffusionSegError, InputError
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["OutlineResult", "Outliner"]

_PREVIEW_EVERY_S = 1.0


@dataclass(frozen=True)
class OutlineResult:
    """An answer and what was asked. kind: "propose", "again" (as before, only with other live
    parameters) or "refine". isOutdated: the voxels are others now than those outlined."""

    proposal: Any
    volumeNodeId: str
    prompt: Any
    setup: Any
    kind: str
    elapsedS: float = 0.0
    isOutdated: bool = False


class Outliner:
    """Asks the worker for outlines and reports what happens. No Qt.

    client: a WorkerClient, or anything with its methods; None until setClient.
    imageFromVolumes, imageKey: the bridge's functions. nodeById: looks a node up in the scene; an
    answer for a volume that is gone is dropped with a sentence. All signals are emitted
    from poll(), or from the call itself.
    channelNames may be set: what the model calls these volumes, for a model of several inputs;
    voxelsKey: the bridge's function, to notice that they were changed.
    """

    def __init__(
        self,
        client: Any,
        imageFromVolumes: Callable[[Sequence[Any]], Any],
        imageKey: Callable[[Sequence[Any]], str],
        nodeById: Callable[[str], Any],
    ) -> None:
        self.started = Signal()  # (kind)
        self.progressed = Signal()  # (WorkerProgress)
        self.previewed = Signal()  # (Preview)
        self.finished = Signal()  # (OutlineResult)
        self.failed = Signal()  # (DiffusionSegError)
        self.stopped = Signal()  # (sentence)
        self.client = client
        self.wantsPreviews = True
        self.channelNames: Callable[[Sequence[Any]], tuple[str, ...]] = _unnamed
        self.voxelsKey: Callable[[Sequence[Any]], str] = _unknown
        self._imageFromVolumes, self._imageKey = imageFromVolumes, imageKey
        self._nodeById = nodeById
        self._ticket: Any = None
        self._previewTicket: Any = None
        self._asked: OutlineResult | None = None
        self._sent: tuple[Sequence[Any], str] = ((), "")  # the volumes and what they held
        self._startS = self._lastPreviewS = 0.0

    @property
    def isBusy(self) -> bool:
        """Whether a propose or refine is under way."""
        return self._ticket is not None

    @property
    def kind(self) -> str:
        """Of the job under way, as in OutlineResult; "" without one."""
        return self._asked.kind if self._asked is not None else ""

    @property
    def volumeNodeId(self) -> str:
        """The volume of the job under way, or ""."""
        return self._asked.volumeNodeId if self._asked is not None else ""

    def propose(self, volumeNodes: Sequence[Any], setup: Any, prompt: Any) -> None:
        """Start an outline in place of a job under way. Emits failed for unusable input, and that
        job is over all the same."""
        self._propose("propose", volumeNodes, setup, prompt)

    def proposeAgain(self, volumeNodes: Sequence[Any], setup: Any, prompt: Any) -> None:
        """The same, as an answer of kind "again": only live parameters are others than before."""
        self._propose("again", volumeNodes, setup, prompt)

    def refine(
        self, volumeNodes: Sequence[Any], setup: Any, edited: Any, prompt: Any, original: Any
    ) -> None:
        """Start improving an edited Mask; ``original`` is the mask before the edit, or None."""
        self._start(
            "refine",
            volumeNodes,
            setup,
            prompt,
            lambda key: self.client.refine(setup, key, edited, prompt, original),
        )

    def estimate(self, volumeNodes: Sequence[Any], setup: Any, prompt: Any) -> Any:
        """A Ticket[Estimate] of time and memory; raises DiffusionSegError for unusable input."""
        key = self._sendImage(volumeNodes)
        return self.client.estimate(setup, key, prompt.region, prompt)

    def setClient(self, client: Any) -> None:
        """Work with another worker from now on; the job under way is stopped."""
        self.stop(_("The worker was changed, so the outline was stopped."))
        self.client = client

    def stop(self, reason: str = "") -> None:
        """Cancel the job under way, at once for the page; ``reason`` is the sentence shown."""
        if self._ticket is None:
            return
        self._cancel()
        self.stopped.emit(reason)

    def stopHere(self) -> None:
        """Good enough: the job finishes now with what it has."""
        if self._ticket is not None:
            self.client.stop_here(self._ticket)

    def poll(self) -> None:
        """Deliver what has arrived and ask for a preview about once a second; never blocks."""
        if self.client is None:
            return
        self.client.poll()
        if self._ticket is not None and self._nodeById(self.volumeNodeId) is None:
            self.stop(_("The volume is gone, so the outline was stopped."))
        self._askForPreview()

    def close(self) -> None:
        """Stop the job and end the worker."""
        self.stop()
        if self.client is not None:
            self.client.close()

    def _propose(self, kind: str, volumeNodes: Sequence[Any], setup: Any, prompt: Any) -> None:
        def request(key: str) -> Any:
            return self.client.propose(setup, key, prompt)

        self._start(kind, volumeNodes, setup, prompt, request)

    def _start(
        self,
        kind: str,
        volumeNodes: Sequence[Any],
        setup: Any,
        prompt: Any,
        request: Callable[[str], Any],
    ) -> None:
        try:
            key = self._sendImage(volumeNodes)
            ticket = request(key)
            self._sent = (tuple(volumeNodes), self.voxelsKey(volumeNodes))
        except DiffusionSegError as error:
            self._cancel()
            self.failed.emit(error)
            return
        self._asked = OutlineResult(None, volumeNodes[0].GetID(), prompt, setup, kind)
        self._ticket, self._previewTicket = ticket, None
        self._startS = self._lastPreviewS = time.monotonic()
        self.started.emit(kind)
        ticket.when_progress(lambda progress: self._onProgress(ticket, progress))
        ticket.when_done(self._onDone)

    def _sendImage(self, volumeNodes: Sequence[Any]) -> str:
        """The key under which the worker knows the image; voxels are sent when they are new."""
        if self.client is None:
            raise InputError(_("There is no worker; check the worker command in Settings."))
        if not volumeNodes:
            raise InputError(_("No volume is chosen; choose the volume to outline."))
        names = self.channelNames(volumeNodes)
        key = f"{self._imageKey(volumeNodes)} {names}"
        if not self.client.has_image(key):
            image = self._imageFromVolumes(volumeNodes)
            if len(names) == len(image.array):
                image = replace(image, channel_names=names)
            self.client.set_image(key, image)
        return key

    def _onProgress(self, ticket: Any, progress: Any) -> None:
        if ticket is self._ticket:
            self.progressed.emit(progress)

    def _onDone(self, ticket: Any) -> None:
        if ticket is not self._ticket or self._asked is None:
            return
        asked = self._asked
        self._ticket = None
        self._forget()
        if ticket.state == "done":
            self._deliver(asked, ticket.value)
        elif ticket.state == "failed":
            self.failed.emit(ticket.error)
        elif ticket.state == "superseded":
            self.stopped.emit(_("A newer request took the place of this one."))
        else:
            self.stopped.emit(_("Stopped."))

    def _deliver(self, asked: OutlineResult, proposal: Any) -> None:
        if self._nodeById(asked.volumeNodeId) is None:
            self.stopped.emit(_("The volume is gone, so its outline was dropped."))
            return
        elapsedS, isOutdated = time.monotonic() - self._startS, self._isChanged()
        found = replace(asked, proposal=proposal, elapsedS=elapsedS, isOutdated=isOutdated)
        self.finished.emit(found)

    def _isChanged(self) -> bool:
        volumeNodes, key = self._sent
        try:
            return self.voxelsKey(volumeNodes) != key
        except DiffusionSegError:  # there are none any more
            return True

    def _cancel(self) -> None:
        ticket, self._ticket = self._ticket, None
        self._forget()
        if ticket is not None:
            ticket.cancel()

    def _forget(self) -> None:
        self._asked = self._previewTicket = None

    def _askForPreview(self) -> None:
        due = time.monotonic() - self._lastPreviewS >= _PREVIEW_EVERY_S
        if self._ticket is None or not self.wantsPreviews or not due or self._previewTicket:
            return
        job = self._ticket
        self._previewTicket = self.client.preview(job)
        self._previewTicket.when_done(lambda answer: self._onPreview(job, answer))

    def _onPreview(self, job: Any, answer: Any) -> None:
        if job is not self._ticket:
            return
        self._previewTicket, self._lastPreviewS = None, time.monotonic()
        if answer.state == "done" and answer.value is not None:
            self.previewed.emit(answer.value)


def _unknown(_volumeNodes: Sequence[Any]) -> str:
    return ""


def _unnamed(_volumeNodes: Sequence[Any]) -> tuple[str, ...]:
    return ()
