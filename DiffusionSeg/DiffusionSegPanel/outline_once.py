"""One outline from a script, without the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegBridge.new_segment import addSegment, createSegmentationFor, tagSegment
from DiffusionSegBridge.segments import writeSegment
from DiffusionSegBridge.volumes import imageFromVolumes, imageKey
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.worker.setup import Setup
from DiffusionSegPanel.choice import chosen
from DiffusionSegPanel.worker_settings import createClient

__all__ = ["outlineOnce"]


def outlineOnce(
    volumeNodes: Any,
    prompt: Prompt | None = None,
    method: str = "",
    model: str = "",
    device: str = "auto",
    seed: int = 0,
    samples: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    threshold: float = 0.5,
    workerCommand: str = "",
    client: Any = None,
) -> Any:
    """A new segmentation node with one segment per label that was found. Waits for the worker.

    volumeNodes: a volume node, or several as channels of one image. prompt: in world RAS mm.
    method, model: names, "" for the defaults. client: a running worker to use, else one is started
    with ``workerCommand`` and ended again. Raises DiffusionSegError; InputError when nothing was
    found, and then no node is made.
    """
    volumes = list(volumeNodes) if isinstance(volumeNodes, Sequence) else [volumeNodes]
    worker = client or createClient(workerCommand)
    try:
        choice = chosen(worker.describe().result(), method, model)
        if choice.method is None:
            raise InputError(_("The worker offers no method; check its command."))
        setup = Setup(
            method or choice.method.name,
            model or (choice.model.name if choice.model else None),
            device,
            seed,
            samples,
            dict(parameters or {}),
        )
        key = imageKey(volumes)
        worker.set_image(key, imageFromVolumes(volumes))
        proposal = worker.propose(setup, key, prompt or Prompt()).result()
    finally:
        if client is None:
            worker.close()
    return _written(proposal, volumes[0], threshold)


def _written(proposal: Any, volumeNode: Any, threshold: float) -> Any:
    mask = proposal.mask(threshold)
    if mask.is_empty:
        raise InputError(
            _("Nothing was found in {volume}: {verdict}").format(
                volume=volumeNode.GetName(), verdict=proposal.verdict.reason
            )
        )
    segmentation = createSegmentationFor(volumeNode, f"{volumeNode.GetName()} outline")
    for label in proposal.labels:
        inside = mask.array == label.value
        if inside.any():
            segmentId = addSegment(segmentation, label, label.name)
            writeSegment(inside, mask.geometry, segmentation, segmentId)
            segment = segmentation.GetSegmentation().GetSegment(segmentId)
            tagSegment(segment, proposal.provenance, proposal.verdict)
    return segmentation
