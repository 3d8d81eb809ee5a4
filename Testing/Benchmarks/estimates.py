"""Are estimates right? Forecasts made before anything is loaded, against what the run then took.

    python -m Testing.Benchmarks.estimates [MODEL ...] [--write] [--json FILE]

Every bundled model outlines bundled samples (nothing, a click or words; pictures, volumes, regions,
tiled images; several numbers of samples), each in a fresh process with one thread. Seconds are the
processor's, of loading, preparing and outlining together, compared with the plan's, which knows how
fast the processor is from a calibration in the same process. Memory is the peak of resident memory
above what was there before the model was loaded. Exit code 1 when an estimate is off by more than a
factor of 1.5.

--write first fits the costs in the models' cards: nonnegative least squares of the relative errors,
over the cases marked as fitted, with what was really worked at in place of forecasts where those
are guesses. The cases not marked only check. The peak of one and the same run differs by up to half
from process to process, as the allocator finds its place; the bundled cDAL cards' "full window" is
the geometric middle of four runs (three for the sarcoma and the nuclei).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import nnls

from DiffusionSegLib.backbones.costs import Costs, plain_costs, read_costs
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import DiffusionSegError
from Testing.Benchmarks.common import conditions, execute, tell
from Testing.Benchmarks.estimates_asked import forecast_of
from Testing.Benchmarks.estimates_cases import CASES, EstimateCase
from Testing.Benchmarks.tables import Row, Table

FACTOR = 1.5
_ROOT = Path(__file__).resolve().parents[2]
_DIGITS = 4
_NOT_PLANNED = (None, None, "")
_STOPPING = 5  # samples from which on drawing may stop early
Measured = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    names = sorted({case.model for case in CASES})
    return execute(parser_of(__doc__, "models", names), run, arguments)


def parser_of(description: str | None, what: str, names: Sequence[str]) -> argparse.ArgumentParser:
    """Of a command that measures some of the names, or all, and may fit costs to that."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    one = what.removesuffix("s").upper()
    parser.add_argument(what, nargs="*", metavar=one, help=f"of {', '.join(names)}")
    parser.add_argument("--write", action="store_true", help="fit the costs of the cards first")
    parser.add_argument("--measured", type=Path, metavar="FILE",
                        help="keep what was measured there, or take it from there")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    parser.set_defaults(device="cpu", threads=1, seed=0)
    return parser


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when an estimate is farther off than it may be."""
    cases = [case for case in CASES if not args.models or case.model in args.models]
    if not cases:
        tell(f"No case has a model named {', '.join(args.models)}.")
        return 2
    found = all_measured(cases, args.measured)
    if args.write:
        for model in dict.fromkeys(case.model for case in cases):
            write_costs(model, None)  # as if no sample were left out
        found = [with_forecast(case, one) for case, one in zip(cases, found, strict=True)]
        reference = median(one["calibration"] for one in found)
        for model in dict.fromkeys(case.model for case in cases):
            own = [(c, one) for c, one in zip(cases, found, strict=True) if c.model == model]
            write_costs(model, fit(own, reference))
        found = [{**one, "plan": _NOT_PLANNED} for one in found]  # those were of the old costs
    found = [with_forecast(case, one) for case, one in zip(cases, found, strict=True)]
    costs = {case.model: costs_of(case.model) for case in cases}
    rows = [case_row(case, one, costs[case.model]) for case, one in zip(cases, found, strict=True)]
    told = conditions(args, factor=FACTOR)
    told["split"] = "bundled samples; fitted ones are marked"
    Table("Estimates against runs", told, rows).publish(args.json)
    return 1 if any(row["off"] for row in rows) else 0


def all_measured(cases: Sequence[EstimateCase], file: Path | None) -> list[Measured]:
    known: dict[str, Measured] = {}
    if file is not None and file.exists():
        known = json.loads(file.read_text())
    found = []
    for case in cases:
        key = json.dumps(case.plain(), sort_keys=True)
        if key not in known:
            tell(f"{case.model}: {case.title}")
            known[key] = _measured(case)
            if file is not None:
                file.write_text(json.dumps(known))
        found.append(known[key])
    return found


def with_forecast(case: EstimateCase, one: Measured) -> Measured:
    return {**one, "forecast": forecast_of(case)}


def _measured(case: EstimateCase) -> Measured:
    done = subprocess.run(
        [sys.executable, "-m", "Testing.Benchmarks.estimates_child", json.dumps(case.plain())],
        cwd=_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise DiffusionSegError(f"The measured process failed:\n{done.stderr}")
    found: Measured = json.loads(done.stdout)
    return found


def fit(pairs: Sequence[tuple[EstimateCase, Measured]], reference_s: float) -> Costs:
    """The costs that explain the fitted cases best."""
    fitted = [one for case, one in pairs if case.fitted]
    load_s = median(_normal(one, "load", reference_s) for one in fitted)
    network = int(median(one["load_bytes"] for one in fitted))
    times = [_really(one, "first") for one in fitted]
    wanted = [_normal(one, "first", reference_s) - load_s for one in fitted]
    again = [one for one in fitted if one["seconds"]["again"] > 0.05]
    times += [_really(one, "again") for one in again]
    wanted += [_normal(one, "again", reference_s) for one in again]
    sizes = [one["forecast"]["propose"]["sizes"] for one in fitted]
    return Costs(
        network_bytes=network,
        reference_s=float(f"{reference_s:.{_DIGITS}g}"),
        load_s=float(f"{load_s:.{_DIGITS}g}"),
        seconds=_explained(times, wanted),
        sizes=_explained(sizes, [one["bytes"] - network for one in fitted]),
        draws=_draws(pairs),
    )


def _draws(pairs: Sequence[tuple[EstimateCase, Measured]]) -> float:
    """Share of the samples that is drawn, where drawing may stop and is not steered."""
    shares = []
    for case, one in pairs:
        forecast = one["forecast"]
        whole, samples, steps = (
            _steps(forecast["propose"]["times"]), forecast["samples"], forecast["steps"],
        )  # fmt: skip
        free = "tolerance" not in case.parameters and case.prompt == "nothing"
        if whole and free and samples >= _STOPPING:
            encoded = whole / (1 + samples * steps)
            shares.append((one["done"]["step"] / encoded - 1) / steps / samples)
    return round(float(np.mean(shares)), 2) if shares else 0.0


def _steps(times: Mapping[str, float]) -> float:
    return sum(units for kind, units in times.items() if kind.endswith("step"))


def _normal(one: Measured, part: str, reference_s: float) -> float:
    """Seconds on the reference processor."""
    return float(one["seconds"][part]) * reference_s / float(one["calibration"])


def _really(one: Measured, part: str) -> dict[str, float]:
    """Units of a part, with what was counted in place of what was guessed."""
    forecast = one["forecast"]
    whole: dict[str, float] = dict(forecast["again" if part == "again" else "propose"]["times"])
    if part == "first":
        for kind, units in forecast["embed"]["times"].items():
            whole[kind] = whole.get(kind, 0.0) + units
    done = dict(one["again" if part == "again" else "done"])
    passes = done.pop("passes", 0.0)
    if "followed" in whole:  # a pass for each slice
        propose = forecast["propose"]
        expected = propose["times"]["pixel"] / propose["sizes"]["pixel"]
        share = passes / expected if part == "first" else 1.0
        for kind in ("pixel", "pair", "followed"):
            whole[kind] = whole.get(kind, 0.0) * share
    for kind, units in done.items():
        own = next((k for k in whole if k in (kind, f"full {kind}")), None)
        if own is not None:
            share = units / whole[own] if whole[own] else 1.0
            whole[own] = units
            if kind == "place" and "decoded" in whole:
                whole["decoded"] *= share
    return whole


def _explained(rows: Sequence[Mapping[str, float]], wanted: Sequence[float]) -> dict[str, float]:
    """What a unit of each kind takes, none below 0; least squares of the relative errors."""
    kinds = sorted({kind for row in rows for kind, units in row.items() if units > 0})
    units = np.array([[row.get(kind, 0.0) for kind in kinds] for row in rows])
    scale = np.maximum(units.max(axis=0), 1e-12)
    target = np.maximum(np.asarray(wanted, dtype=np.float64), 1e-12)
    each, _ = nnls(units / scale / target[:, None], np.ones(len(target)))
    return {
        kind: float(f"{value:.{_DIGITS}g}")
        for kind, value in zip(kinds, each / scale, strict=True)
        if value > 0
    }


def write_costs(model: str, costs: Costs | None, least: int | None = None) -> None:
    """Into the card: the costs, and what is needed at least (None: by the costs of any run); all
    else stays as it is."""
    method, _, name = model.partition("/")
    card = ModelStore().find(method, name).folder / "model.json"
    text = card.read_text("utf-8")
    values = json.loads(text)
    values.pop("costs", None)
    if costs is not None:
        values["costs"] = plain_costs(costs)
        if least is None:
            least = costs.network_bytes + int(costs.sizes.get("run", 0.0))
        values["needs"] = {**values.get("needs", {}), "memory_bytes": least}
    indent = len(text.split("\n")[1]) - len(text.split("\n")[1].lstrip())
    card.write_text(json.dumps(values, indent=indent, ensure_ascii=False) + "\n", "utf-8")


def costs_of(model: str) -> Costs:
    method, _, name = model.partition("/")
    costs = ModelStore().find(method, name).costs
    if costs is None:
        raise DiffusionSegError(f"The card of {model} names no costs; --write measures them.")
    read_costs(plain_costs(costs))
    return costs


def case_row(case: EstimateCase, one: Measured, costs: Costs) -> Row:
    seconds, size = predicted(one, costs)
    time_ratio = seconds / one["seconds"]["first"]
    size_ratio = size / one["bytes"]
    off = [ratio for ratio in (time_ratio, size_ratio) if not 1 / FACTOR <= ratio <= FACTOR]
    return {
        "model": case.model,
        "case": case.title,
        "fitted": "x" if case.fitted else "",
        "s": round(one["seconds"]["first"], 2),
        "told s": round(seconds, 2),
        "time": round(time_ratio, 2),
        "MB": round(one["bytes"] / 1e6),
        "told MB": round(size / 1e6),
        "memory": round(size_ratio, 2),
        "off": "*" if off else "",
    }


def predicted(one: Measured, costs: Costs) -> tuple[float, float]:
    """Seconds and bytes as the plan has them: of the forecast's units by the card's costs."""
    if one["plan"][0] is not None:
        return float(one["plan"][0]), float(one["plan"][1])
    forecast = one["forecast"]
    times = [forecast["embed"]["times"], forecast["propose"]["times"]]
    seconds = costs.load_s + sum(_sum(part, costs.seconds) for part in times)
    sizes = [forecast[part]["sizes"] for part in ("embed", "propose")]
    size = costs.network_bytes + max(_sum(part, costs.sizes) for part in sizes)
    return seconds * one["calibration"] / costs.reference_s, size


def _sum(units: Mapping[str, float], each: Mapping[str, float]) -> float:
    return sum(number * each.get(kind, 0.0) for kind, number in units.items())


if __name__ == "__main__":
    raise SystemExit(main())
