"""A wrong mask, a few strokes, Refine: Dice before and after on real images of the test part.

    python -m Testing.Benchmarks.refine_errors --data ROOT
    python -m Testing.Benchmarks.refine_errors --data ROOT --method adzus

For every test case mistakes are made in the known outline (see mask_errors.py), 0, 1, 3 and 5
strokes repair the largest of them, and Session.refine is given the repaired mask and the wrong one.
`alone` is what the model proposes without any mask. `kept` counts painted and erased voxels that
the refined mask has as the user left them; the last line says whether all have been kept. Methods
other than cdal see the same cases with all labels as one, and propose nothing alone: they do not
know what is meant.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.evaluation.label_pairs import label_pairs
from DiffusionSegLib.methods.contract import Value
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.session import Session
from Testing.Benchmarks.common import chosen_models, clock, conditions, execute, new_parser, tell
from Testing.Benchmarks.datasets import RealCase, find_test_cases, read_real_case
from Testing.Benchmarks.mask_errors import with_mistakes, with_strokes
from Testing.Benchmarks.tables import Row, Spread, Table


@dataclass(frozen=True)
class Repair:
    """Mean Dice over labels of one case; painted, broken: voxels the user set and those changed."""

    before: float
    strokes: float
    refined: float
    alone: float
    painted: int
    broken: int
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = new_parser(__doc__)
    parser.add_argument("--method", default="cdal", help="which refines (default: cdal)")
    parser.add_argument("--strokes", type=int, nargs="+", default=[0, 1, 3, 5], metavar="K")
    parser.add_argument("--level", type=int, help="noise level of Refine (default: the method's)")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Refine for every chosen model; exit code 1 when a stroke was not kept."""
    rows: list[Row] = []
    broken = painted = 0
    for entry in chosen_models(args):
        session = _session(entry, args)
        found = [_repairs(session, case, args) for case in _cases(entry, session, args)]
        for place, strokes in enumerate(args.strokes):
            column = [repairs[place] for repairs in found]
            rows.append(_row(entry, strokes, column))
            broken += sum(repair.broken for repair in column)
            painted += sum(repair.painted for repair in column)
    told = conditions(args, method=args.method, grid="the image's", level=args.level or "default")
    Table("Refining masks with simulated mistakes", told, rows).publish(args.json)
    print(f"Strokes kept exactly: {painted - broken} of {painted} voxels, {broken} violations.")
    return 1 if broken else 0


def _session(entry: ModelEntry, args: argparse.Namespace) -> Session:
    """The entry's own model, or the default model of another method."""
    model = entry.name if args.method == "cdal" else None
    return Session(args.method, model, args.device, args.seed, _parameters(args))


def _cases(entry: ModelEntry, session: Session, args: argparse.Namespace) -> list[RealCase]:
    found = find_test_cases(entry, args.data, args.limit)
    tell(f"{entry.name}: {len(found)} cases")
    cases = [read_real_case(entry, case) for case in found]
    return cases if args.method == "cdal" else [_as_one(case, session.model) for case in cases]


def _as_one(case: RealCase, model: ModelEntry) -> RealCase:
    """All labels as the one label of a model that is not made for them."""
    pairs = label_pairs(model.labels[:1])
    array = np.where(case.truth.array > 0, pairs[0].predicted_value, 0).astype(np.uint8)
    truth = Mask(array, case.truth.geometry, model.labels[:1], dimension=case.truth.dimension)
    return RealCase(case.name, case.image, truth, pairs)


def _parameters(args: argparse.Namespace) -> dict[str, Value]:
    return {} if args.level is None else {"refine_level": args.level}


def _repairs(session: Session, case: RealCase, args: argparse.Namespace) -> list[Repair]:
    """One repair per number of strokes."""
    session.set_image(case.image)
    own = session.description.name == "cdal"
    alone = case.mean_dice(session.propose().mask()) if own else float("nan")
    rng = np.random.default_rng([args.seed, sum(case.name.encode())])
    spacing_kji = case.image.geometry.spacing_mm[::-1]
    truth = case.truth
    wrong = replace(truth, array=with_mistakes(truth.array, spacing_kji, rng))
    repairs = []
    for strokes in args.strokes:
        edited = with_strokes(wrong.array, truth.array, strokes, spacing_kji)
        repairs.append(_repair(session, case, wrong, replace(wrong, array=edited), alone))
    return repairs


def _repair(session: Session, case: RealCase, wrong: Mask, edited: Mask, alone: float) -> Repair:
    begun = clock(session.device)
    refined = session.refine(edited, original=wrong).mask()
    seconds = clock(session.device) - begun
    painted = edited.array != wrong.array
    broken = painted & (refined.array != edited.array)
    return Repair(
        case.mean_dice(wrong),
        case.mean_dice(edited),
        case.mean_dice(refined),
        alone,
        int(painted.sum()),
        int(broken.sum()),
        seconds,
    )


def _row(entry: ModelEntry, strokes: int, repairs: Sequence[Repair]) -> Row:
    row: dict[str, Any] = {"model": entry.name, "cases": len(repairs), "strokes": strokes}
    alone = [] if np.isnan(repairs[0].alone) else ["alone"]
    for name in ("before", "strokes", "refined", *alone):
        title = "strokes only" if name == "strokes" else name
        row[title] = Spread.of(getattr(repair, name) for repair in repairs)
    row["better than strokes"] = sum(r.refined > r.strokes for r in repairs)
    painted = sum(repair.painted for repair in repairs)
    row["kept"] = f"{painted - sum(repair.broken for repair in repairs)}/{painted}"
    row["s/refine"] = round(sum(repair.seconds for repair in repairs) / len(repairs), 3)
    return row


if __name__ == "__main__":
    raise SystemExit(main())
