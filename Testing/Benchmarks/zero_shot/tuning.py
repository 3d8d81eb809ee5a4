"""How the baselines' parameters were chosen: one at a time, on open cases that are not test cases.

    python -m Testing.Benchmarks.zero_shot.tuning --data FOLDER [--baselines NAME ...]

For each baseline the values of each parameter are tried in turn, the others kept, and the best one
stays. What counts is the mean over the data sets of the mean Dice after 1 and 3 clicks on cases of
the parts train and validation. One value serves all data sets; nothing is chosen per image.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from Testing.Benchmarks.common import execute, tell
from Testing.Benchmarks.tables import Row, Table
from Testing.Benchmarks.zero_shot.baselines import BASELINES, share_threads
from Testing.Benchmarks.zero_shot.cases import SETS, ZeroShotCase, load_cases
from Testing.Benchmarks.zero_shot.clicking import click_case
from Testing.Benchmarks.zero_shot.report import COMPARED

_REACHES = (0.0, 0.1, 0.2, 0.3, 0.4)
_RADII = (0.0, 0.01, 0.02, 0.03, 0.04)
_RULE = {"rule.ring": ("until", "always"), "rule.radius": _RADII, "rule.reach": _REACHES}
_SIGMAS = (0.0, 0.7, 1.5)
_WIDER = (0.0, 1.0, 2.0, 3.0)

# Tried in this order, beginning from the defaults.
GRIDS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "disc": {"reach": (0.03, 0.05, 0.07, 0.1, 0.15, 0.2)},
    "grabcut": {
        "prior": (0.05, 0.1, 0.15, 0.2, 0.3), **_RULE, "iterations": (1, 2, 4),
        "context": (0, 1, 2), "smoothing": _SIGMAS, "longest": (128, 192),
    },
    "random-walker": {
        **_RULE, "beta": (130.0, 500.0, 2000.0, 8000.0, 30000.0), "threshold": (0.1, 0.3, 0.5, 0.7),
        "smoothing": _SIGMAS, "longest": (128, 192),
    },
    "growcut": {
        **_RULE, "decay": (0.0, 0.001, 0.003, 0.01, 0.03), "smoothing": _SIGMAS,
        "longest": (128, 192, 256),
    },
    "connected-threshold": {
        "width": (0.02, 0.04, 0.06, 0.08, 0.12), "spread": (0.0, 1.0, 2.0, 3.0),
        "reach": _REACHES, "smoothing": _WIDER, "voting": _WIDER, "radius": _RADII,
        "longest": (128, 256, 512),
    },
    "confidence-connected": {
        "multiplier": (1.5, 2.0, 2.5, 3.0, 4.0), "rounds": (0, 1, 2, 4), "reach": _REACHES,
        "smoothing": _WIDER, "voting": _WIDER, "radius": _RADII[1:],
        "noise": (0.003, 0.01, 0.03), "longest": (128, 256, 512),
    },
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--baselines", nargs="+", choices=GRIDS, default=list(GRIDS))
    parser.add_argument("--limit", type=int, default=8, help="cases per data set and part")
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.set_defaults(device="cpu", threads=1)
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Tune every chosen baseline and print one table."""
    share_threads(args.threads)
    cases = tuning_cases(args.data, args.limit)
    rows = [row for name in args.baselines for row in tuned(name, cases, args.passes)]
    told = {name: len(found) for name, found in cases.items()}
    Table("Choosing the parameters of the baselines", told, rows).publish(args.json)
    return 0


def tuning_cases(data: Path, limit: int) -> dict[str, list[ZeroShotCase]]:
    """Of every open data set at most `limit` cases of each of the parts train and validation."""
    found = {
        name: [
            case for part in ("train", "validation") for case in load_cases(name, data, part, limit)
        ]
        for name in SETS
    }
    return {name: cases for name, cases in found.items() if cases}


def tuned(name: str, cases: Mapping[str, Sequence[ZeroShotCase]], passes: int) -> list[Row]:
    """One row per value that was tried; `kept` marks what stayed."""
    chosen: dict[str, Any] = {}
    rows: list[Row] = []
    for parameter, values in [item for _ in range(passes) for item in GRIDS[name].items()]:
        tried = [_score(name, {**chosen, parameter: value}, cases) for value in values]
        best = int(np.argmax([score["mean"] for score in tried]))
        chosen[parameter] = values[best]
        for number, (value, score) in enumerate(zip(values, tried, strict=True)):
            row: dict[str, Any] = {"baseline": name, "parameter": parameter, "value": value}
            rows.append({**row, "kept": "yes" if number == best else "", **score})
        tell(f"{name}: {chosen}, {tried[best]['mean']:.4f}")
    return rows


def _score(
    name: str, values: Mapping[str, Any], cases: Mapping[str, Sequence[ZeroShotCase]]
) -> dict[str, float]:
    """Mean Dice of each data set, and their mean."""
    outliner = BASELINES[name]()
    for parameter, value in values.items():
        outliner = _with(outliner, parameter, value)
    of_set = {}
    for title, found in cases.items():
        scores = [click_case(outliner, case, most=COMPARED[-1]).dice for case in found]
        of_set[title] = float(np.mean([[dice[n - 1] for n in COMPARED] for dice in scores]))
    return {"mean": float(np.mean(list(of_set.values()))), **of_set}


def _with(outliner: Any, parameter: str, value: Any) -> Any:
    """A copy with one parameter changed; `rule.radius` is a part of a part."""
    first, _, rest = parameter.partition(".")
    if rest:
        value = replace(getattr(outliner, first), **{rest: value})
    return replace(outliner, **{first: value})


if __name__ == "__main__":
    raise SystemExit(main())
