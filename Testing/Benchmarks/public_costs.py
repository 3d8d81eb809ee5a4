"""What the public models cost, measured with random numbers in place of their weights.

    python -m Testing.Benchmarks.public_costs [BUILD ...] [--write] [--measured FILE] [--json FILE]

Stable Diffusion, the chest X-ray models and MAISI are fetched at first use, and their weights are
not needed to tell what they take: memory and time of a network do not depend on the numbers in it.
So networks of full published size are filled with random numbers (see random_models.py), written as
a download has them, and run as a whole, each case in a fresh process with one thread, as
`estimates` does it for the bundled models. What depends on the content of the pictures that the
real weights would see, such as how many regions merge, is not real in this. Models of the same
build share what was measured for one of them, and builds that differ little what takes long to
measure; what the methods themselves take is known from the bundled models. --write fits the costs
and needs.memory_bytes of the cards. Needs up to 6 GB of memory and as much room for files. Exit
code 1 when an estimate is farther off than a factor of 1.5.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from DiffusionSegLib.backbones.costs import Costs
from DiffusionSegLib.backbones.store import ModelStore
from Testing.Benchmarks.common import conditions, execute, tell
from Testing.Benchmarks.estimates import (
    FACTOR,
    Measured,
    all_measured,
    case_row,
    costs_of,
    fit,
    parser_of,
    predicted,
    with_forecast,
    write_costs,
)
from Testing.Benchmarks.estimates_cases import EstimateCase
from Testing.Benchmarks.random_models import parts_of, write_random
from Testing.Benchmarks.tables import Row, Table

_NUMBER = 4  # bytes, on a processor
# Work of the methods themselves, whatever the network: known from the bundled models.
_METHODS_OWN = frozenset({"marks", "followed", "chosen", "voxel", "held canvas"})
# In single images of these sizes they grow as what is worked at at once does, and are far smaller.
_NOT_TOLD_APART = frozenset({"kept", "read", "held pair"})


@dataclass(frozen=True)
class Build:
    """models: whose networks are alike; the first is measured. cases: of it. like: a model from
    which is taken what the cases do not tell, all when none is fitted. known: sizes that need no
    measuring: attention maps that are kept of a slice, two of 4 bytes a pair of places."""

    models: tuple[str, ...]
    cases: tuple[EstimateCase, ...]
    like: str
    known: Mapping[str, float] = field(default_factory=dict)


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


_SD1, _COMPACT = "adzus/stable-diffusion-1-5", "adzus/compact"
_MAISI = tuple(f"diffugts/maisi-rflow-{name}" for name in ("ct", "mr", "mr-brain"))
_HELD = {"held pair": 2 * _NUMBER / 8**4}  # a place has 8 x 8 pixels
_HELD_COARSE = {"held pair": 2 * _NUMBER / 16**4}
BUILDS: dict[str, Build] = {
    "sd1": Build((_SD1, "adzus/prompt2medimage"), _PICTURES, _COMPACT, _HELD),
    "sd1-bert": Build(("adzus/cxr-bert-ldm",), (_checked(_SMALL),), _SD1),
    "sd2": Build(("adzus/stable-diffusion-2-1-base",), (_SMALL, _LARGE), _SD1, _HELD),
    "monai": Build(("adzus/monai-cxr-ldm",), (_SMALL, _LARGE, _WORDS), _SD1, _HELD_COARSE),
    "maisi-rflow": Build(_MAISI, _SCANS, "diffugts/compact"),
    "maisi-ddpm": Build(("diffugts/maisi-ddpm-ct",), (_checked(_SCANS[0]),), _MAISI[0]),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    return execute(parser_of(__doc__, "builds", list(BUILDS)), run, arguments)


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
            least = max(least_bytes(costs, found), loading_bytes(each, costs))
            write_costs(each, costs, least)
    costs = costs_of(model)
    plain = [{**one, "plan": [None, None, ""]} for one in found]
    return [case_row(case, one, costs) for case, one in zip(named, plain, strict=True)]


def _fitted(build: Build, cases: Sequence[EstimateCase], found: Sequence[Measured]) -> Costs:
    model, base = build.models[0], costs_of(build.like)
    if not any(case.fitted for case in cases):
        return with_other_weights(base, weight_bytes(model) - weight_bytes(build.like))
    own = [{**one, "forecast": told_apart(one["forecast"])} for one in found]
    reference = median(one["calibration"] for one in own)
    costs = fit(list(zip(cases, own, strict=True)), reference)
    costs = with_weights(costs, weight_bytes(model))
    told = {"run", *_NOT_TOLD_APART}.union(*(_kinds(one["forecast"]) for one in own))
    faster = costs.reference_s / base.reference_s
    seconds = {
        kind: float(f"{each * faster:.4g}")
        for kind, each in base.seconds.items()
        if kind not in told
    }
    sizes = {kind: each for kind, each in base.sizes.items() if kind not in told}
    return replace(
        costs,
        seconds={**costs.seconds, **seconds},
        sizes={**costs.sizes, **sizes, **build.known},
    )


def told_apart(forecast: Mapping[str, Any]) -> dict[str, Any]:
    """Only the units whose costs these cases can tell."""
    sizes = _METHODS_OWN | _NOT_TOLD_APART
    left_out = {"sizes": sizes, "times": sizes | {"run"}}  # each network is slow, no run is
    kept = dict(forecast)
    for part in ("embed", "propose", "again"):
        kept[part] = {
            name: {kind: units for kind, units in each.items() if kind not in left_out[name]}
            for name, each in forecast[part].items()
        }
    return kept


def _kinds(forecast: Mapping[str, Any]) -> set[str]:
    """Of units that there are any of."""
    parts = [forecast[part][each] for part in ("embed", "propose") for each in ("times", "sizes")]
    return {kind for part in parts for kind, units in part.items() if units > 0}


def loading_bytes(model: str, costs: Costs) -> int:
    """What opening a model takes: checkpoints of MAISI are read whole, with all that they hold
    besides the network."""
    entry = ModelStore().find(*model.split("/"))
    whole = entry.settings["backbone"]["kind"] == "maisi"
    return costs.network_bytes + whole * (entry.needs.disk_bytes - weight_bytes(model))


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
