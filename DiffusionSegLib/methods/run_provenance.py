"""How a result of this run came to be: what all methods say alike."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from typing import Any

import DiffusionSegLib
from DiffusionSegLib.backbones.fetching.hub_parts import came_from
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.provenance import Provenance

__all__ = ["run_provenance"]


def run_provenance(
    model: ModelEntry,
    weights_sha256: str,
    prompt: Prompt,
    run: RunOptions,
    device: str,
    begun: float,
    parameters: Mapping[str, Any],
    rule: str = "",
) -> Provenance:
    """begun: time.monotonic() at the start; parameters: beside those that the user chose."""
    import torch

    return Provenance(
        method=model.method,
        model=model.id,
        weights_sha256=weights_sha256,
        prompt=prompt.to_dict(),
        seed=run.seed,
        versions={
            "DiffusionSeg": DiffusionSegLib.__version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
        device=device,
        duration_s=round(time.monotonic() - begun, 3),
        parameters={**run.parameters, **parameters},
        licence=model.licence.name,
        rule=rule,
        weights_source=came_from(model),
    )
