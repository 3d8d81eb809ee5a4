"""Does stopping the ensemble early save time at equal Dice?

    python -m Testing.Benchmarks.adaptive --data ROOT

Every test image is outlined with each tolerance (0 draws all samples, which is what the last
columns compare with), one tolerance after the other, so that a busy machine disturbs all alike.
`samples` is the largest number drawn in any window of the image. Seconds are processor seconds on
the CPU, wall seconds on a GPU, of drawing alone (the image is prepared before).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.session import Session
from Testing.Benchmarks.common import chosen_models, clock, conditions, execute, new_parser, tell
from Testing.Benchmarks.datasets import RealCase, find_test_cases, read_real_case
from Testing.Benchmarks.tables import Row, Spread, Table


@dataclass(frozen=True)
class Outlined:
    """Mean Dice over labels, samples drawn and seconds of one image with one tolerance."""

    dice: float
    samples: int
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = new_parser(__doc__)
    parser.add_argument(
        "--tolerances", type=float, nargs="+", default=[0.0, 0.005, 0.01, 0.02, 0.05], metavar="T"
    )
    parser.add_argument("--samples", type=int, help="at most (default: the card's)")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Every chosen model with every tolerance."""
    rows: list[Row] = []
    for entry in chosen_models(args):
        cases = find_test_cases(entry, args.data, args.limit)
        tell(f"{entry.name}: {len(cases)} cases")
        tolerances = [args.tolerances[0], *args.tolerances]
        first, *sessions = [
            Session("cdal", entry.name, args.device, args.seed, {"tolerance": t}, args.samples)
            for t in tolerances
        ]
        # The first run is slower, and a session does not draw the same again.
        _outline(first, read_real_case(entry, cases[0]))
        found = []
        for case in cases:
            real = read_real_case(entry, case)
            found.append([_outline(session, real) for session in sessions])
        rows += _rows(entry, args.tolerances, found)
    told = conditions(args, grid="the image's", samples=args.samples or "the card's")
    Table("Adaptive ensemble", told, rows).publish(args.json)
    return 0


def _outline(session: Session, case: RealCase) -> Outlined:
    session.set_image(case.image)
    begun = clock(session.device)
    proposal = session.propose()
    seconds = clock(session.device) - begun
    drawn = int(str(proposal.provenance.parameters["samples"]))
    return Outlined(case.mean_dice(proposal.mask()), drawn, seconds)


def _rows(
    entry: ModelEntry, tolerances: Sequence[float], found: Sequence[Sequence[Outlined]]
) -> list[Row]:
    columns = [[case[place] for case in found] for place in range(len(tolerances))]
    seconds = [sum(part.seconds for part in column) for column in columns]
    dice = [sum(part.dice for part in column) / len(column) for column in columns]
    everything = tolerances.index(0.0) if 0.0 in tolerances else None
    rows: list[Row] = []
    for place, tolerance in enumerate(tolerances):
        row: dict[str, Any] = {"model": entry.name, "cases": len(found), "tolerance": tolerance}
        row["Dice"] = Spread.of(part.dice for part in columns[place])
        row["samples"] = Spread.of(float(part.samples) for part in columns[place])
        row["s/image"] = seconds[place] / len(found)
        if everything is not None:
            row["Dice lost"] = f"{dice[everything] - dice[place]:+.4f}"
            row["time"] = f"{seconds[place] / seconds[everything]:.0%}"
        rows.append(row)
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
