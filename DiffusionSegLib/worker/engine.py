"""Does what requests ask for, and keeps images, networks and embeddings warm in between."""

from __future__ import annotations

import platform
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from os import getpid
from typing import Any

import DiffusionSegLib
from DiffusionSegLib.compute.device import has_own_memory, memory_errors_explained
from DiffusionSegLib.compute.device_memory import gpu_allocated, gpu_memory, release_unused
from DiffusionSegLib.errors import InputError, OutOfMemoryError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.planning.calibration import Calibrations
from DiffusionSegLib.planning.plan import Plan
from DiffusionSegLib.planning.rates import Rate, RateKey, Rates
from DiffusionSegLib.planning.room import free_bytes
from DiffusionSegLib.planning.telling import adjusted_sentence
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.session import Session
from DiffusionSegLib.worker.answers import Estimate, Hello, MemoryReport
from DiffusionSegLib.worker.devices import device_reports, torch_version
from DiffusionSegLib.worker.estimating import worded
from DiffusionSegLib.worker.job import Job
from DiffusionSegLib.worker.memory import (
    PeakMeter,
    computer_memory,
    process_memory,
)
from DiffusionSegLib.worker.packing import (
    readable,
    unpack_box,
    unpack_mask,
    unpack_optional,
    unpack_prompt,
)
from DiffusionSegLib.worker.protocol import PROTOCOL
from DiffusionSegLib.worker.setup import Setup

__all__ = ["Engine"]

_KEPT_SESSIONS = 2


@dataclass
class _Warm:
    """A session, and what is set in it: compared by identity, so that no voxel is read again."""

    session: Session
    image: Image | None = None
    region: Box | None = None


class Engine:
    """`perform` is called from one thread only; `memory` may be called from another."""

    def __init__(self, rates: Rates | None = None) -> None:
        """rates: what runs took here; None forgets with this engine."""
        self._warm: OrderedDict[tuple[str, str | None, str], _Warm] = OrderedDict()
        self._rates, self._calibrations = rates or Rates(), Calibrations()

    def perform(self, job: Job) -> Any:
        """The answer; raises whatever goes wrong. Kinds: hello, prepare, estimate, propose,
        refine."""
        progress = job.progress()
        if job.kind == "hello":
            return _hello(progress)
        try:
            with memory_errors_explained("this image"):
                return self._compute(job, progress)
        except OutOfMemoryError:
            if not self._make_room(job):
                raise
        with memory_errors_explained("this image"):
            return self._compute(job, progress)

    def memory(self) -> MemoryReport:
        """What is used, and what for."""
        warm = list(self._warm.values())
        devices = {part.session.device for part in warm}
        allocated = [size for name in devices if (size := gpu_allocated(name)) is not None]
        return MemoryReport(
            process_memory(),
            sum(allocated) if allocated else None,
            tuple(_described(part) for part in warm),
        )

    def _compute(self, job: Job, progress: Progress) -> Any:
        with readable("request"):
            setup = Setup.from_dict(job.header["setup"])
            region = unpack_optional(job.header["region"], unpack_box)
            prompt = unpack_optional(
                job.header.get("prompt"), lambda values: unpack_prompt(values, job.arrays)
            )
        if job.image is None:
            raise InputError("The request names no image; set an image first.")
        # Said before the session is made: that may import torch, which takes seconds.
        known = setup.network in self._warm
        progress.report(0.0, "Preparing" if known else "Loading the model")
        warm = self._session(setup)
        if job.kind == "estimate":
            plan = self._plan(setup, warm.session, job.image, prompt or Prompt(), region)
            if plan.seconds is not None:
                progress.report(1.0)
                return Estimate(plan.seconds, plan.memory_bytes, plan.words, plan)
        prepared = warm.image is job.image and warm.region == region
        share = 0.0 if prepared else 1.0 if job.kind == "prepare" else 0.3
        if not prepared:
            warm.session.set_image(job.image, region, progress.part(0.0, share))
            warm.image, warm.region = job.image, region
        if job.kind == "prepare":
            progress.report(1.0)
            return None
        rest = progress.part(share, 1.0)
        if job.kind == "estimate":
            return self._estimate(warm.session, prompt or Prompt(region=region), rest)
        return self._outline(job, warm.session, prompt or Prompt(), rest)

    def _plan(
        self, setup: Setup, session: Session, image: Image, prompt: Prompt, region: Box | None
    ) -> Plan:
        """As it would be done; where memory is short, without the models that are not in use."""
        plan = session.plan(prompt, image, region)
        if (plan.adjusted or not plan.fits) and self._made_room(setup.network):
            plan = session.plan(prompt, image, region)
        return plan

    def _session(self, setup: Setup) -> _Warm:
        warm = self._warm.get(setup.network)
        if warm is None:
            session = Session(
                setup.method,
                setup.model,
                setup.device,
                rates=self._rates,
                calibrations=self._calibrations,
                free=_free,
            )
            session.make_room = lambda: self._made_room(setup.network)
            warm = self._warm[setup.network] = _Warm(session)
        warm.session.configure(setup.seed, setup.samples, setup.parameters)
        self._warm.move_to_end(setup.network)
        while len(self._warm) > _KEPT_SESSIONS:
            self._warm.popitem(last=False)
        return warm

    def _outline(self, job: Job, session: Session, prompt: Prompt, progress: Progress) -> Proposal:
        told = session.model.costs is None and job.kind == "propose"
        load = session.workload(prompt) if told else None
        meter, begun_s = PeakMeter(session.device), time.monotonic()
        if job.kind == "propose":
            proposal = session.propose(prompt, progress, preview=True)
        else:
            with readable("request"):
                edited = unpack_mask(job.header["edited"], job.arrays)
                original = unpack_optional(
                    job.header["original"], lambda values: unpack_mask(values, job.arrays)
                )
            proposal = session.refine(edited, prompt, progress, original, preview=True)
        if load is not None and load.exact and not (progress.enough or adjusted_sentence(proposal)):
            rise, seconds = meter.rise(), time.monotonic() - begun_s
            rest = None if rise is None else max(0, rise - load.memory_bytes)
            self._rates.learn(_key(session), seconds / max(load.units, 1.0), rest)
        return proposal

    def _estimate(self, session: Session, prompt: Prompt, progress: Progress) -> Estimate:
        load = session.workload(prompt)
        rate = self._rates.find(_key(session))
        if load is not None and rate is None:
            rate = _tried(session, progress)
        progress.report(1.0)
        if load is None or rate is None:
            return Estimate(None, None, f"This method does not tell in advance on {session.device}")
        used, free = _used_and_free(session.device)
        return worded(load, rate, session.device, used, free)

    def _make_room(self, job: Job) -> bool:
        """Let go of what the job does not need; whether there was anything."""
        return self._made_room(Setup.from_dict(job.header["setup"]).network)

    def _made_room(self, network: tuple[str, str | None, str]) -> bool:
        """The same, of all networks but that one."""
        others = [name for name in self._warm if name != network]
        for name in others:
            del self._warm[name]
        release_unused()
        return bool(others)


def _key(session: Session) -> RateKey:
    return RateKey.of(session.model, session.device, "step")


def _free(device: str) -> int | None:
    return free_bytes(device, lambda: computer_memory()[1])


def _hello(progress: Progress) -> Hello:
    progress.report(0.0, "Looking for devices")
    version, problem = torch_version()
    return Hello(
        protocol=PROTOCOL,
        versions=_versions(version),
        python=sys.executable,
        devices=device_reports() if version is not None else (),
        pid=getpid(),
        torch=version,
        problem=problem,
    )


def _versions(torch: str | None) -> dict[str, str]:
    import numpy as np

    versions = {
        "DiffusionSeg": DiffusionSegLib.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.platform(),
    }
    return versions if torch is None else {**versions, "torch": torch}


def _tried(session: Session, progress: Progress) -> Rate | None:
    """From one short step; once more when it was short, because a first step is slow."""
    meter = PeakMeter(session.device)
    seconds = units = 0.0
    for _ in range(2):
        progress.check()
        begun_s = time.monotonic()
        done = session.trial(progress)
        if not done:
            return None
        seconds, units = time.monotonic() - begun_s, done
        if seconds > 1.0:
            break
    return Rate(seconds / units, meter.rise())


def _used_and_free(device: str) -> tuple[int, int | None]:
    allocated = gpu_allocated(device)
    if has_own_memory(device) and allocated is not None:
        return allocated, gpu_memory(device)[1]
    return process_memory(), computer_memory()[1]


def _described(warm: _Warm) -> str:
    session = warm.session
    text = f"{session.model.id} on {session.device}"
    if warm.image is not None:
        shape = " x ".join(map(str, reversed(warm.image.geometry.shape_kji)))
        text += f", an image of {shape} voxels"
    return text
