"""What a case asks for, and what is forecast of it: the image, the prompt, the region."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import ndimage

from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.compute.device import prefers_bfloat16
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.forecast import RunWish
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.planning.around import region_around
from Testing.Benchmarks.datasets import SAMPLES
from Testing.Benchmarks.estimates_cases import EstimateCase

_TEXTS = {"isic2017_98": "skin lesion", "sts_ct_mr": "soft tissue sarcoma"}


def forecast_of(case: EstimateCase) -> dict[str, Any]:
    """Units of work and of things in memory, with the share of samples that the card says."""
    image, prompt, region = asked(case)
    method, _, name = case.model.partition("/")
    model, maker = ModelStore().find(method, name), get_method(method)
    draws = 0.0 if model.costs is None else model.costs.draws
    run = RunOptions(samples=case.samples, parameters=case.parameters)
    fast_half = prefers_bfloat16("cpu")
    wish = RunWish(image, region, prompt, run, fast_half=fast_half, draws=draws)
    assert hasattr(maker, "forecast")
    found = maker.forecast(model, wish)
    parts = {name: getattr(found, name) for name in ("embed", "propose", "again")}
    return {
        "samples": found.samples,
        "steps": int(model.settings.get("noise_steps", 0)),
        **{
            name: {"times": dict(part.times), "sizes": dict(part.sizes)}
            for name, part in parts.items()
        },
    }


def asked(case: EstimateCase) -> tuple[Image, Prompt, Box | None]:
    """The image, tiled if wished; the prompt; the region."""
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
