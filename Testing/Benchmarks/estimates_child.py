"""The process that estimates.py measures: a case as JSON in, what it took as JSON out.

Nothing is loaded before the plan is made. Seconds are the processor's, at one thread.
"""

from __future__ import annotations

import json
import math
import sys
import time
from statistics import median
from typing import Any

import torch

from DiffusionSegLib.planning.calibration import Calibrations, calibrate
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.session import Session
from Testing.Benchmarks.estimates_asked import asked
from Testing.Benchmarks.estimates_cases import EstimateCase
from Testing.Benchmarks.memory_child import Peaks


class Shared(Calibrations):
    """By the processor's time, because others use this machine too."""

    def seconds(self, device: str) -> float:
        """Of the computation on that device."""
        if device not in self._known:
            self._known[device] = calibrate(device, processor_time=True)
        return self._known[device] or 1.0


class Work:
    """Units that were really worked at, where a forecast can only guess them."""

    def __init__(self) -> None:
        self.done: dict[str, float] = {}

    def add(self, kind: str, units: float) -> None:
        """To what was done."""
        self.done[kind] = self.done.get(kind, 0.0) + units

    def _step(self, _module: Any, given: Any, _out: Any) -> None:
        self.add("step", math.prod(given[0].shape[2:]))

    def watch(self, session: Session) -> None:
        """Count in the networks of a loaded session."""
        predictor: Any = session._predictor
        network = getattr(predictor, "_network", None)
        if network is not None:
            hook = self._step
            network.stem.register_forward_hook(hook)
            network.condition.register_forward_hook(hook)
        elif hasattr(predictor, "networks"):
            real = predictor.backbone.predict

            def predict(noisy: Any, level: float, condition: Any) -> Any:
                self.add("place", len(noisy) * math.prod(noisy.shape[2:]))
                return real(noisy, level, condition)

            predictor.backbone.predict = predict
        else:
            denoiser = predictor.backbone.network
            denoiser.register_forward_pre_hook(lambda _m, _given: self.add("passes", 1.0))


def main() -> None:
    """Print what a run was planned to take, and what it took."""
    torch.set_num_threads(1)
    values = json.loads(sys.argv[1])
    case = EstimateCase(**{**values, "tile": tuple(values["tile"])})
    image, prompt, region = asked(case)
    method, _, model = case.model.partition("/")
    calibrations = Shared()
    calibrations.seconds("cpu")
    session = Session(
        method, model, "cpu", samples=case.samples, parameters=case.parameters,
        calibrations=calibrations, free=lambda device: None,
    )  # fmt: skip
    plan = session.plan(prompt, image, region)
    peaks, work = Peaks(), Work()
    seconds, begun = {}, time.process_time()
    session._loaded(Progress.silent())
    work.watch(session)
    seconds["load"] = time.process_time() - begun
    peaks.note("load")
    session.set_image(image, region)
    peaks.note("embed")
    found = session.propose(prompt)
    peaks.note("propose")
    seconds["first"] = time.process_time() - begun
    done, begun = dict(work.done), time.process_time()
    session.propose(prompt)
    seconds["again"] = time.process_time() - begun
    again = {kind: units - done.get(kind, 0.0) for kind, units in work.done.items()}
    calibration = median([calibrations.seconds("cpu"), calibrate("cpu", processor_time=True)])
    print(
        json.dumps(
            {
                "calibration": calibration,
                "plan": [plan.seconds, plan.memory_bytes, plan.words],
                "seconds": seconds,
                "done": done,
                "again": again,
                "load_bytes": peaks.left["load"],
                "bytes": max(peaks.found.values()),
                "verdict": found.verdict.state.name,
            }
        )
    )


if __name__ == "__main__":
    main()
