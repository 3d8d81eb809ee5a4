"""Why Segment cannot be pressed yet, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegPanel.choice import Choice

__all__ = ["whyNotReady"]

_COLOR_KINDS = ("RGB", "any")
_COLOR_COMPONENTS = (3, 4)


def whyNotReady(
    catalogue: Any, choice: Choice, volumes: Sequence[Any], hello: Any = None, device: Any = None
) -> str:
    """The sentence shown beside the disabled button; empty when everything is there.

    volumes: the first and the second volume node, None where none is chosen. hello: what the
    worker said of itself, None before it did. device: the chosen DeviceReport, None when the worker
    is left to choose.
    """
    if catalogue is None:
        return _("Waiting for the worker.")
    if choice.method is None:
        return _("The worker offers no method; check the worker command in Settings.")
    if choice.model is None:
        return _("No model of {method} is installed where the worker runs.").format(
            method=choice.method.title
        )
    if hello is not None and hello.problem:
        return str(hello.problem)
    if device is not None and not device.usable:
        return _("The device {title} cannot be used: {reason}").format(
            title=device.title, reason=device.reason
        )
    return _whyNotInputs(choice, volumes)


def _whyNotInputs(choice: Choice, volumes: Sequence[Any]) -> str:
    pairs = list(zip(volumes, choice.inputs, strict=False))
    if all(volume is None for volume, _wanted in pairs):
        return _("Choose a volume to outline.")
    for volume, wanted in pairs:
        if volume is None:
            if wanted.required:
                return _("The model {model} also needs {kind}: choose its volume.").format(
                    model=choice.model.title, kind=wanted.name
                )
            continue
        problem = _whyNotVolume(choice, volume, wanted)
        if problem:
            return problem
    return ""


def _whyNotVolume(choice: Choice, volume: Any, wanted: Any) -> str:
    image = volume.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        return _("{volume} holds no voxels; choose another volume.").format(volume=volume.GetName())
    isColor = image.GetNumberOfScalarComponents() in _COLOR_COMPONENTS
    if isColor and wanted.kind not in _COLOR_KINDS:
        return _(
            "{volume} is a color image, but the model {model} takes {kind}; choose another model."
        ).format(volume=volume.GetName(), model=choice.model.title, kind=wanted.name)
    return ""
