"""What the public models cost, measured with random numbers in place of their weights.

    python -m Testing.Benchmarks.public_costs [BUILD ...] [--write] [--measured FILE] [--json FILE]

Stable Diffusion, the chest X-ray models and MAISI are fetched at first use, and their weights are
not needed to tell what they take: memory and time of a network do not depend on the numbers in it.
So networks of full published size are filled with random numbers (see random_models.py), written as
a download has them, and run as a whole, each case in a fresh process with one thread, as
`estimates` does it for the bundled models. What depends on the content of the pictures that the
real weights would see, such as how many regions merge, is not real in this. Models of the same
build share what was measured for one of them, and builds that differ little what takes long to
measure. --write fits the cards' costs and needs.memory_bytes.
Needs up to 6 GB of memory and, for the files, of disk. Exit code 1 when an estimate is farther off
than a factor of 1.5.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from DiffusionSegLib.backbones.costs import Costs
from Testing.Benchmarks.common import conditions, execute, tell
from Testing.Benchmarks.estimates import (
    FACTOR,
    Measured,
    all_measured,
    case_row,
    costs_of,
    fit,
    predicted,
    with_forecast,
    write_costs,
)
from Testing.Benchmarks.estimates_cases import EstimateCase
from Testing.Benchmarks.random_models import parts_of, write_random
from Testing.Benchmarks.tables import Row, Table

_NUMBER = 4  # bytes, on a processor


@dataclass(frozen=True)
class Build:
    """models: whose networks are alike; the first is measured. cases: of it. like: a build that
    differs little, from which is taken what the cases do not tell (all, when none is fitted)."""

    models: tuple[str, ...]
    cases: tuple[EstimateCase, ...]
    like: str = ""


def _picture(name: str, *more: Any, **options: Any) -> EstimateCase:
    skin = name.startswith("ISIC")
    folder, ending = ("isic2017_98", "jpg") if skin else ("dsb2018_nuclei", "png")
    paths = f"{folder}/images/{name}.{ending}", f"{folder}/labels/{name}.png"
    return EstimateCase("", *paths, *more, **options)


def _scan(name: str, margin_mm: float, steps: int, samples: int, fitted: bool) -> EstimateCase:
    paths = f"sts_ct_mr/images/STS_{name}_ct.nii.gz", f"sts_ct_mr/labels/STS_{name}.nii.gz"
    return EstimateCase(
        "", *paths, "click", channel="CT", margin_mm=margin_mm, samples=samples,
        parameters={"steps": steps}, fitted=fitted,
    )  # fmt: skip


_SMALL = _picture("fluorescence_013", "click", fitted=True)
_LARGE = _picture("fluorescence_013", "click", tile=(1, 2, 2), fitted=True)
_WORDS = _picture("ISIC_0012956", "text", fitted=True)
_PICTURES = (
    _SMALL,
    _LARGE,
    _WORDS,
    _picture("ISIC_0012956", fitted=True),
    _picture("ISIC_0012206", "click"),
)
# Steps and samples differ in a small volume, where they take little time; the size in another.
_SCANS = (
    _scan("049", 20, 4, 1, fitted=True),
    _scan("049", 20, 40, 1, fitted=True),
    _scan("049", 20, 4, 4, fitted=True),
    _scan("049", 45, 4, 1, fitted=True),
    _scan("021", 20, 10, 2, fitted=False),
)


def _checked(case: EstimateCase) -> EstimateCase:
    return replace(case, fitted=False)


BUILDS: dict[str, Build] = {
    "sd1": Build(("adzus/stable-diffusion-1-5", "adzus/prompt2medimage"), _PICTURES),
    "sd1-bert": Build(("adzus/cxr-bert-ldm",), (_checked(_SMALL),), "sd1"),
    "sd2": Build(("adzus/stable-diffusion-2-1-base",), (_SMALL, _LARGE), "sd1"),
    "monai": Build(("adzus/monai-cxr-ldm",), (_SMALL, _LARGE, _WORDS), "sd1"),
    "maisi-rflow": Build(
        tuple(f"diffugts/maisi-rflow-{name}" for name in ("ct", "mr", "mr-brain")), _SCANS
    ),
    "maisi-ddpm": Build(("diffugts/maisi-ddpm-ct",), (_checked(_SCANS[0]),), "maisi-rflow"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("builds", nargs="*", metavar="BUILD", help=f"of {', '.join(BUILDS)}")
    parser.add_argument("--write", action="store_true", help="fit the costs of the cards first")
    parser.add_argument("--measured", type=Path, metavar="FILE",
                        help="keep what was measured there, or take it from there")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    parser.set_defaults(device="cpu", threads=1, seed=0)
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when an estimate is farther off than it may be."""
    unknown = [name for name in args.builds if name not in BUILDS]
    if unknown:
        tell(f"There is no build named {', '.join(unknown)}; there are {', '.join(BUILDS)}.")
        return 2
    rows: list[Row] = []
    for name in args.builds or BUILDS:
        rows += _measured_build(BUILDS[name], args)
    told = conditions(args, factor=FACTOR)
    told["split"] = "bundled samples, random weights; fitted ones are marked"
    Table("Estimates of public models against runs", told, rows).publish(args.json)
    return 1 if any(row["off"] for row in rows) else 0


def _measured_build(build: Build, args: argparse.Namespace) -> list[Row]:
    model = build.models[0]
    named = [replace(case, model=model) for case in build.cases]
    found = _found(model, named, args.measured)
    if args.write:
        costs = _fitted(build, named, found)
        for each in build.models:
            write_costs(each, costs, least_bytes(costs, found))
    costs = costs_of(model)
    plain = [{**one, "plan": [None, None, ""]} for one in found]
    return [case_row(case, one, costs) for case, one in zip(named, plain, strict=True)]


def _fitted(build: Build, cases: Sequence[EstimateCase], found: Sequence[Measured]) -> Costs:
    model, other = build.models[0], BUILDS[build.like].models[0] if build.like else ""
    if not any(case.fitted for case in cases):
        return with_other_weights(costs_of(other), weight_bytes(model) - weight_bytes(other))
    reference = median(one["calibration"] for one in found)
    own = fit(list(zip(cases, found, strict=True)), reference)
    own = with_weights(own, weight_bytes(model))
    if not other:
        return own
    told = {kind for one in found for kind in _kinds(one["forecast"])}
    base = costs_of(other)
    scale = base.reference_s / own.reference_s
    slow = {kind: each / scale for kind, each in base.seconds.items() if kind not in told}
    large = {kind: each for kind, each in base.sizes.items() if kind not in told}
    return replace(own, seconds={**own.seconds, **slow}, sizes={**own.sizes, **large})


def _kinds(forecast: Mapping[str, Any]) -> set[str]:
    """Of units that there are any of."""
    parts = [forecast[part][each] for part in ("embed", "propose") for each in ("times", "sizes")]
    return {kind for part in parts for kind, units in part.items() if units > 0}


def weight_bytes(model: str) -> int:
    """Of a model's networks, on a processor."""
    return _NUMBER * sum(one.numel() for part in parts_of(model).values()
                         for one in part.parameters())  # fmt: skip


def with_other_weights(costs: Costs, more: int) -> Costs:
    """Of networks that take so many bytes more."""
    return replace(
        costs,
        network_bytes=costs.network_bytes + more,
        half_network_bytes=costs.half_network_bytes + more // 2,
    )


def with_weights(costs: Costs, weights: int) -> Costs:
    """Weights that are mapped from a file are in memory only once they are used, which the fit
    counts with what a run takes; they stay, and so belong to the network."""
    run = costs.sizes.get("run", 0.0)
    mapped = min(run, max(0.0, weights - costs.network_bytes))
    sizes = {**costs.sizes, "run": run - mapped}
    network = costs.network_bytes + int(mapped)
    return replace(
        costs,
        network_bytes=network,
        half_network_bytes=max(0, network - weights // 2),
        sizes={kind: size for kind, size in sizes.items() if size > 0},
    )


def least_bytes(costs: Costs, found: Sequence[Measured]) -> int:
    """What the smallest of the measured images takes by these costs."""
    plain = ({**one, "plan": [None, None, ""]} for one in found)
    return int(min(predicted(one, costs)[1] for one in plain))


def _found(model: str, cases: Sequence[EstimateCase], file: Path | None) -> list[Measured]:
    """Of runs with random weights; forecasts are those of the card as it is now."""
    known = {} if file is None or not file.exists() else json.loads(file.read_text())
    keys = [json.dumps(case.plain(), sort_keys=True) for case in cases]
    if not all(key in known for key in keys):
        with tempfile.TemporaryDirectory() as folder:
            tell(f"{model}: writing random weights")
            place = write_random(model, Path(folder))
            method = model.partition("/")[0]
            for case, key in zip(cases, keys, strict=True):
                if key not in known:
                    moved = replace(case, model=f"{method}/{place}")
                    known[key] = all_measured([moved], None)[0]
                if file is not None:
                    file.write_text(json.dumps(known))
    return [with_forecast(case, known[key]) for case, key in zip(cases, keys, strict=True)]


if __name__ == "__main__":
    raise SystemExit(main())
