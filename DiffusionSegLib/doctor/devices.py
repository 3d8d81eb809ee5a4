"""Where the worker can compute, and why not elsewhere."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.doctor.device_child import MARK
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import WorkerError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.answers import DeviceReport
from DiffusionSegLib.worker.command import foreign_environment
from DiffusionSegLib.worker.process_tree import ended_by

__all__ = ["TITLE", "section"]

TITLE = "Devices"
_MODULE = "DiffusionSegLib.doctor.device_child"
_PATIENCE_S = 180.0
_LOOK_S = 0.05


def section(examined: Examined, progress: Progress) -> Section:
    """What the worker said; when it was not started, from a short process in its Python."""
    if examined.hello is not None:
        return _shown(examined.hello.devices)
    if examined.run:  # the worker has said why it says nothing
        return Section(TITLE, ("Not known, because the worker did not answer.",))
    if examined.python is None:
        return Section(TITLE, ("Not known: only the worker could tell.",))
    problem, devices = _asked(examined.python, progress)
    if problem:
        return Section(TITLE, (problem,), (Problem(problem, "torch"),))
    return _shown(devices)


def _shown(devices: tuple[DeviceReport, ...]) -> Section:
    if not devices:
        return Section(TITLE, ("None, because torch is missing or broken.",))
    broken = [f"{one.title}: {one.reason}" for one in devices if one.broken]
    # Of the first the look at the worker's Python may have told already, of others never.
    problems = tuple(Problem(told, "" if index else "gpu") for index, told in enumerate(broken))
    facts = {"devices": [asdict(one) for one in devices]}
    return Section(TITLE, tuple(map(_line, devices)), problems, facts)


def _line(device: DeviceReport) -> str:
    memory = ""
    if device.memory_total is not None:
        memory = f", {shown_bytes(device.memory_total)} of memory"
    if device.memory_free is not None:
        memory += f", {shown_bytes(device.memory_free)} free"
    state = "usable" if device.usable else f"not usable: {device.reason}"
    return f"{device.name}: {device.title}{memory}; {state}"


def _asked(
    python: tuple[str, ...], progress: Progress
) -> tuple[str | None, tuple[DeviceReport, ...]]:
    command = [*python, "-m", _MODULE]
    environment = foreign_environment(python)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    ) as process:  # fmt: skip
        try:
            out, complaints = _communicated(process, progress)
        finally:
            process.kill()
    for line in out.decode("utf-8", "replace").splitlines():
        if line.startswith(MARK):
            told = json.loads(line.removeprefix(MARK))
            return told["problem"], tuple(DeviceReport(**one) for one in told["devices"])
    last = " ".join(complaints.decode("utf-8", "replace").strip().splitlines()[-1:])
    raise WorkerError(
        f"The question for devices ended without an answer ({ended_by(process.returncode or 0)}"
        f"{': ' + last if last else ''}); install torch again."
    )


def _communicated(process: subprocess.Popen[bytes], progress: Progress) -> tuple[bytes, bytes]:
    end_s = time.monotonic() + _PATIENCE_S
    while True:
        progress.check()
        try:
            return process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired as error:
            if time.monotonic() > end_s:
                raise WorkerError(
                    f"The question for devices was not answered within {_PATIENCE_S:.0f} s; "
                    "restart the computer."
                ) from error
