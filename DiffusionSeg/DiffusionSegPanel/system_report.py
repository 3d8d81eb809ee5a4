"""Everything that helps to understand a problem, as text: for the clipboard, and as the beginning
of a full check's report."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import qt
import slicer

import DiffusionSegLib
from DiffusionSegLib.doctor.command import doctor_command
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegPanel.worker_settings import workerCommand

__all__ = ["installationReport", "systemReport"]

_LOG_LINES = 40
_GIB = 2**30


def systemReport(
    commandText: str, hello: Any, client: Any, catalogue: Any, setup: Sequence[str] = ()
) -> str:
    """Versions, devices, models and the worker's last messages. Names no image and no patient.

    setup: lines about the worker's environment and what was found wrong with it.
    """
    lines = [
        "Last messages of the worker:",
        *(client.last_log if client else "").splitlines()[-_LOG_LINES:],
    ]
    longer = _longerReport(commandText)
    own = installationReport(commandText, hello, client, catalogue, [*setup, *longer])
    return own + "\n".join(lines) + "\n"


def installationReport(
    commandText: str, hello: Any, client: Any, catalogue: Any, setup: Sequence[str] = ()
) -> str:
    """The same without the worker's messages, which hold what no one foresees."""
    lines = [
        f"DiffusionSeg {DiffusionSegLib.__version__}",
        f"Slicer {slicer.app.applicationVersion} (revision {slicer.app.revision})",
        f"Python {platform.python_version()} in {sys.prefix}",
        f"Qt {qt.qVersion()}",
        f"{platform.platform()}, {platform.machine()}",
        f"Worker command: {commandText or 'chosen by itself'}",
        *setup,
        f"Worker running: {bool(client and client.is_running)}",
        *_workerLines(hello),
        *_modelLines(catalogue),
    ]
    return "\n".join(lines) + "\n"


def _longerReport(commandText: str) -> list[str]:
    try:
        command = doctor_command(workerCommand(commandText))
    except DiffusionSegError:
        return []
    return [f"A longer report: {shlex.join(command)}"]


def _workerLines(hello: Any) -> list[str]:
    if hello is None:
        return ["Worker: no answer yet"]
    lines = [f"Worker in {hello.python}, torch {hello.torch or 'missing'}"]
    lines += [f"  {name} {version}" for name, version in sorted(hello.versions.items())]
    lines += [f"Worker problem: {hello.problem}"] if hello.problem else []
    return lines + [_deviceLine(device) for device in hello.devices]


def _deviceLine(device: Any) -> str:
    state = "usable" if device.usable else f"cannot be used: {device.reason}"
    memory = ""
    if device.memory_total:
        free, total = (device.memory_free or 0) / _GIB, device.memory_total / _GIB
        memory = f", {free:.1f} of {total:.1f} GiB free"
    return f"Device {device.name} ({device.title}): {state}{memory}"


def _modelLines(catalogue: Any) -> list[str]:
    return [f"Model {model.id}" for model in catalogue.models] if catalogue else []
