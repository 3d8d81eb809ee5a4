"""Runs that estimates are checked on: bundled models, bundled samples, several sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["CASES", "EstimateCase"]


@dataclass(frozen=True)
class EstimateCase:
    """model: method/name. image: of the samples; channel: what the model calls it, "" by itself.
    tile: how often the image is repeated along k, j, i. prompt: "click" (the deepest place of the
    known outline), "text" or "nothing". margin_mm: the region around the click that is looked at, 0
    for all. fitted: whether the costs of the card are fitted to it; the others only check."""

    model: str
    image: str
    label: str
    prompt: str = "nothing"
    channel: str = ""
    tile: tuple[int, int, int] = (1, 1, 1)
    margin_mm: float = 0.0
    samples: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fitted: bool = False

    @property
    def title(self) -> str:
        """In a table."""
        parts = [self.image.rpartition("/")[2].split(".")[0], self.prompt]
        if self.tile != (1, 1, 1):
            parts.append("x".join(map(str, self.tile)))
        if self.margin_mm:
            parts.append(f"{self.margin_mm:g} mm")
        if self.samples:
            parts.append(f"{self.samples} samples")
        if self.parameters.get("precision"):
            parts.append(str(self.parameters["precision"]))
        return " ".join(parts)

    def plain(self) -> dict[str, Any]:
        """For the process that measures."""
        return asdict(self)


_ALL = {"tolerance": 0.0}
_FULL = {**_ALL, "precision": "float32"}


def _sample(folder: str, name: str, kind: str = ".nii.gz", label: str = ".nii.gz") -> list[str]:
    truth = name.removesuffix("_ct").removesuffix("_mr")
    return [f"{folder}/images/{name}{kind}", f"{folder}/labels/{truth}{label}"]


def _hippocampus(name: str, *more: Any, **options: Any) -> EstimateCase:
    return EstimateCase(
        "cdal/hippocampus", *_sample("msd_hippocampus", f"hippocampus_{name}"), *more, **options
    )


def _sarcoma(name: str, *more: Any, **options: Any) -> EstimateCase:
    channel = "CT" if name.endswith("ct") else "MR"
    paths = _sample("sts_ct_mr", f"STS_{name}")
    return EstimateCase("cdal/sarcoma", *paths, *more, channel=channel, **options)


def _nuclei(name: str, *more: Any, model: str = "cdal/nuclei", **options: Any) -> EstimateCase:
    return EstimateCase(model, *_sample("dsb2018_nuclei", name, ".png", ".png"), *more, **options)


def _skin(name: str, *more: Any, model: str = "cdal/skin-lesion", **options: Any) -> EstimateCase:
    paths = _sample("isic2017_98", f"ISIC_{name}", ".jpg", ".png")
    return EstimateCase(model, *paths, *more, **options)


def _volume(model: str, name: str, *more: Any, **options: Any) -> EstimateCase:
    return EstimateCase(model, *_sample("sts_ct_mr", f"STS_{name}"), *more, **options)


_ADZUS, _DIFFUGTS = "adzus/compact", "diffugts/compact"
CASES: tuple[EstimateCase, ...] = (
    _hippocampus("033", samples=2, parameters=_ALL, fitted=True),
    _hippocampus("033", samples=1, tile=(1, 1, 2), parameters=_ALL, fitted=True),
    _hippocampus("039", "click", margin_mm=8, samples=3, parameters=_ALL, fitted=True),
    _hippocampus("067", samples=1, parameters=_FULL, fitted=True),
    _hippocampus("033", samples=1, tile=(2, 1, 2), parameters=_ALL, fitted=True),
    _hippocampus("039"),
    _hippocampus("067", "click"),
    _hippocampus("067", samples=10),
    _hippocampus("039", tile=(2, 1, 1), samples=3),
    _sarcoma("021_ct", samples=1, parameters=_ALL, fitted=True),
    _sarcoma("021_mr", samples=2, parameters=_ALL, fitted=True),
    _sarcoma("049_ct", samples=1, tile=(1, 2, 2), parameters=_ALL, fitted=True),
    _sarcoma("049_mr", "click", margin_mm=30, samples=2, parameters=_ALL, fitted=True),
    _sarcoma("049_mr", samples=1, parameters=_FULL, fitted=True),
    _sarcoma("049_mr"),
    _sarcoma("021_ct", "click"),
    _sarcoma("021_mr", tile=(2, 1, 1), samples=2),
    _nuclei("fluorescence_013", samples=2, parameters=_ALL, fitted=True),
    _nuclei("stained_005", samples=3, parameters=_ALL, fitted=True),
    _nuclei("fluorescence_014", "click", margin_mm=60, samples=3, parameters=_ALL, fitted=True),
    _nuclei("fluorescence_013", samples=1, tile=(1, 2, 2), parameters=_ALL, fitted=True),
    _nuclei("fluorescence_014", samples=1, parameters=_FULL, fitted=True),
    _nuclei("fluorescence_014"),
    _nuclei("stained_005"),
    _nuclei("stained_005", "click"),
    _nuclei("fluorescence_014", tile=(1, 2, 1), samples=3),
    _skin("0012956", samples=2, parameters=_ALL, fitted=True),
    _skin("0012206", samples=8, parameters=_ALL, fitted=True),
    _skin("0012956", samples=2, tile=(1, 3, 3), parameters=_ALL, fitted=True),
    _skin("0012221", samples=6, parameters=_FULL, fitted=True),
    _skin("0012221"),
    _skin("0012206", "click"),
    _skin("0012221", tile=(1, 2, 2), samples=20),
    _skin("0012206", "click", model=_ADZUS, fitted=True),
    _skin("0012956", model=_ADZUS, fitted=True),
    _skin("0012956", "text", model=_ADZUS, fitted=True),
    _nuclei("fluorescence_013", "click", model=_ADZUS, fitted=True),
    _skin("0012206", "click", model=_ADZUS, tile=(1, 2, 2), fitted=True),
    _volume(_ADZUS, "021_ct", "click", margin_mm=25, fitted=True),
    _volume(_ADZUS, "049_mr", "click", margin_mm=40, fitted=True),
    _skin("0012221", "click", model=_ADZUS),
    _skin("0012221", "text", model=_ADZUS),
    _nuclei("stained_005", model=_ADZUS),
    _skin("0012221", "click", margin_mm=100, model=_ADZUS),
    _volume(_ADZUS, "049_ct", "click"),
    _skin("0012206", "click", model=_DIFFUGTS, samples=1, fitted=True),
    _skin("0012956", "click", model=_DIFFUGTS, samples=3, fitted=True),
    _skin("0012206", "text", model=_DIFFUGTS, samples=2, fitted=True),
    _nuclei("fluorescence_013", "click", model=_DIFFUGTS, samples=2, fitted=True),
    _volume(_DIFFUGTS, "021_mr", "click", margin_mm=40, samples=1, fitted=True),
    _volume(_DIFFUGTS, "049_mr", "click", margin_mm=20, samples=2, fitted=True),
    _volume(_DIFFUGTS, "049_mr", "text", margin_mm=30, samples=2, fitted=True),
    _volume(_DIFFUGTS, "021_ct", "text", samples=1, fitted=True),
    _volume(_DIFFUGTS, "021_mr", "text", fitted=True),
    _skin("0012221", "click", model=_DIFFUGTS),
    _skin("0012221", "text", model=_DIFFUGTS),
    _nuclei("stained_005", "click", model=_DIFFUGTS, samples=5),
    _volume(_DIFFUGTS, "049_ct", "click", samples=1),
    _volume(_DIFFUGTS, "049_ct", "text", samples=2),
    _volume(_DIFFUGTS, "021_ct", "text", margin_mm=25, samples=2),
)
