"""Does the same seed give the same outline twice, and how much do seeds differ?

    python -m Testing.Benchmarks.stability --data ROOT

`twice` counts cases whose outline and probability are equal to the last bit when a fresh session
repeats the first seed. `range over seeds` is, per case, the largest minus the smallest Dice;
`agreement` is the mean Dice of the outlines of two seeds with each other.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.session import Session
from Testing.Benchmarks.common import chosen_models, conditions, execute, new_parser, tell
from Testing.Benchmarks.datasets import RealCase, find_test_cases, read_real_case
from Testing.Benchmarks.tables import Row, Spread, Table


@dataclass(frozen=True)
class Repeated:
    """dice: of each seed with the truth; agreement: of the seeds' outlines with each other."""

    dice: tuple[float, ...]
    agreement: float
    same: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = new_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from --seed on")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Repeat for every chosen model; exit code 1 when the same seed gave another outline."""
    rows: list[Row] = []
    all_same = True
    for entry in chosen_models(args):
        cases = find_test_cases(entry, args.data, args.limit)
        tell(f"{entry.name}: {len(cases)} cases")
        sessions = [_session(entry, args, number) for number in range(args.seeds)]
        again = _session(entry, args, 0)
        found = [_repeat(read_real_case(entry, case), sessions, again) for case in cases]
        all_same &= all(case.same for case in found)
        rows.append(_row(entry, found))
    told = conditions(args, grid="the image's", seeds=args.seeds)
    Table("Same seed, other seeds", told, rows).publish(args.json)
    return 0 if all_same else 1


def _session(entry: ModelEntry, args: argparse.Namespace, number: int) -> Session:
    return Session("cdal", entry.name, args.device, args.seed + number)


def _repeat(case: RealCase, sessions: Sequence[Session], again: Session) -> Repeated:
    proposals = [_propose(session, case) for session in (*sessions, again)]
    masks = [proposal.mask() for proposal in proposals]
    first, last = proposals[0], proposals[-1]
    same = np.array_equal(masks[0].array, masks[-1].array) and np.array_equal(
        first.probability.array, last.probability.array
    )
    inside = [mask.array > 0 for mask in masks[:-1]]
    pairs = [metrics.dice(a, b) for a, b in combinations(inside, 2)]
    dice = tuple(case.mean_dice(mask) for mask in masks[:-1])
    return Repeated(dice, float(np.mean(pairs)) if pairs else 1.0, same)


def _propose(session: Session, case: RealCase) -> Proposal:
    session.set_image(case.image)
    return session.propose()


def _row(entry: ModelEntry, found: Sequence[Repeated]) -> Row:
    row: dict[str, Any] = {"model": entry.name, "cases": len(found)}
    row["twice"] = f"{sum(case.same for case in found)} of {len(found)}"
    for number in range(len(found[0].dice)):
        row[f"Dice, seed {number}"] = Spread.of(case.dice[number] for case in found)
    ranges = [max(case.dice) - min(case.dice) for case in found]
    row["range over seeds"] = Spread.of(ranges)
    row["largest range"] = max(ranges)
    row["agreement"] = Spread.of(case.agreement for case in found)
    return row


if __name__ == "__main__":
    raise SystemExit(main())
