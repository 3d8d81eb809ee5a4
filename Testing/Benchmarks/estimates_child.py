"""The process that estimates.py measures: a case as JSON in, what it took as JSON out.

Nothing is loaded before the plan is made. Seconds are the processor's, at one thread.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from DiffusionSegLib.compute.device import prefers_bfloat16
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.planning.around import region_around
from DiffusionSegLib.planning.calibration import Calibrations, calibrate
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.session import Session
from Testing.Benchmarks.datasets import SAMPLES
from Testing.Benchmarks.estimates_cases import EstimateCase
from Testing.Benchmarks.memory_child import Peaks

_TEXTS = {"isic2017_98": "skin lesion", "sts_ct_mr": "soft tissue sarcoma"}


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

    def watch(self, session: Session) -> None:
        """Count in the networks of a loaded session."""
        predictor: Any = session._predictor
        network = getattr(predictor, "_network", None)
        if network is not None:
            hook: Callable[..., None] = (
                lambda _m, given, _o: self.add(  # noqa: E731
                    "step", math.prod(given[0].shape[2:])
                )
            )
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
    case = _case(json.loads(sys.argv[1]))
    image, prompt, region = _asked(case)
    method, _, model = case.model.partition("/")
    calibrations = Shared()
    calibrations.seconds("cpu")
    session = Session(
        method, model, "cpu", samples=case.samples, parameters=case.parameters,
        calibrations=calibrations, free=lambda device: None,
    )  # fmt: skip
    plan = session.plan(prompt, image, region)
    wish = replace(session._wish(image, region, prompt), fast_half=prefers_bfloat16("cpu"))
    maker: Any = get_method(method)
    forecast = maker.forecast(session.model, wish)  # of all samples, as if none were left out
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
                "forecast": _plain(forecast),
                "seconds": seconds,
                "done": done,
                "again": again,
                "load_bytes": peaks.left["load"],
                "bytes": max(peaks.found.values()),
                "steps": session.model.settings.get("noise_steps", 0),
                "samples": forecast.samples,
                "all_samples": case.parameters.get("tolerance", 0.01) == 0,
                "verdict": found.verdict.state.name,
            }
        )
    )


def _plain(forecast: Any) -> dict[str, Any]:
    parts = {name: getattr(forecast, name) for name in ("embed", "propose", "again")}
    return {
        name: {"times": dict(part.times), "sizes": dict(part.sizes)} for name, part in parts.items()
    }


def _case(values: dict[str, Any]) -> EstimateCase:
    return EstimateCase(**{**values, "tile": tuple(values["tile"])})


def _asked(case: EstimateCase) -> tuple[Image, Prompt, Box | None]:
    image = Image.read(SAMPLES / case.image)
    truth = Mask.read(SAMPLES / case.label).array > 0
    if case.tile != (1, 1, 1):
        array = np.tile(image.array, (1, *case.tile))
        shape = (array.shape[1], array.shape[2], array.shape[3])
        image = replace(image, array=array, geometry=replace(image.geometry, shape_kji=shape))
    if case.channel:
        image = replace(image, channel_names=(case.channel,))
    depth = ndimage.distance_transform_edt(np.pad(truth, 1))[1:-1, 1:-1, 1:-1]
    deepest = np.array(np.unravel_index(int(depth.argmax()), depth.shape), dtype=np.float64)
    place = tuple(float(mm) for mm in image.geometry.kji_to_ras(deepest[None])[0])
    click = Prompt(points=(place,))  # type: ignore[arg-type]
    region = None
    if case.margin_mm:
        region = region_around(click, image.geometry, case.margin_mm)
    if case.prompt == "click":
        return image, click, region
    text = _TEXTS[case.image.partition("/")[0]] if case.prompt == "text" else ""
    return image, Prompt(text=text), region


if __name__ == "__main__":
    main()
