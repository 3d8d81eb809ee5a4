"""What can be set, within which range, and where the value comes from. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from DiffusionSegLib.errors import unknown_name
from DiffusionSegLib.methods.contract import ParameterSpec, Value

__all__ = ["PARAMETERS", "RegionSettings"]

_PAPER = "DiffSeg (arXiv:2308.12469)"

PARAMETERS = (
    ParameterSpec(
        "timestep", "int", 300, "Timestep of the pass",
        "How noisy the network takes the image to be: low for fine parts, high for whole objects. "
        "No noise is added.",
        f"{_PAPER}, section 4.1: 300", 0, 999,
    ),
    ParameterSpec(
        "resolution_power", "float", 1.0, "Weight of fine attention maps",
        "Maps of a side of s places weigh s to this power: 1 gives 64:32:16:8, 0 weighs all "
        "resolutions equally.",
        f"{_PAPER}, section 3.1: proportional to the resolution", 0.0, 4.0,
    ),
    ParameterSpec(
        "anchors", "int", 16, "Anchors per side",
        "Merging starts from a grid of so many anchors squared; small structures need more.",
        f"{_PAPER}, section 4.1: 16", 1, 64,
    ),
    ParameterSpec(
        "tau", "float", 1.0, "Merging threshold",
        "Attention maps nearer to each other than this (symmetric Kullback-Leibler divergence, in "
        "nats) are one region; higher gives fewer and larger regions.",
        f"{_PAPER}, section 4.1: 1.1 on COCO-Stuff, 0.9 on Cityscapes; 1.0 is our choice", 0.0, 5.0,
    ),
    ParameterSpec(
        "rounds", "int", 3, "Merging rounds",
        "The first round gathers maps around the anchors, each further one merges what is alike.",
        f"{_PAPER}, section 4.1: 3", 1, 10,
    ),
    ParameterSpec(
        "kmeans", "bool", False, "Refine by k-means",
        "Assign every place's map to the nearest region, and start again from the means.",
        f"{_PAPER}, released code: optional",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class RegionSettings:
    """The parameters above by name, as published where the paper says."""

    timestep: int = 300
    resolution_power: float = 1.0
    anchors: int = 16
    tau: float = 1.0
    rounds: int = 3
    kmeans: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> RegionSettings:
        """From values by name; the rest is as published. Raises InputError."""
        known = {spec.name: spec for spec in PARAMETERS}
        for name in values:
            if name not in known:
                raise unknown_name("parameter", name, known)
        checked = {name: known[name].validate(value) for name, value in values.items()}
        return cls(**checked)  # type: ignore[arg-type]
