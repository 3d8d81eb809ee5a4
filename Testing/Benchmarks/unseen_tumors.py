"""How well does DiffuGTS outline a type of tumor that its training never showed, by words alone?

    python -m Testing.Benchmarks.unseen_tumors --data FOLDER --models RUNS
    python -m Testing.Benchmarks.unseen_tumors --data FOLDER --bundled

RUNS/FOLD/model (brain, lung, hepatic, sarcoma) is the model that was trained without that type
(`diffusionseg train diffugts --leave-out FOLD`): no tumor of it was shown as one. Pictures of the
type's train part may have been the ground of synthetic lesions elsewhere in them, and the frozen
diffusion model beneath was trained on the train part of all types, without any mask. With --bundled
the shipped model is asked, which was shown masks of all types: then only cases of the test part
count.

Every case is a slice cut at random: sides of 60 to 90 %, anywhere, holding at least half of the
tumor, so that the middle tells nothing. The texts are "brain tumor", "lung tumor", "liver tumor",
"soft tissue sarcoma". Rows: how far each part of the method gets (the attention map alone at 0.5,
the coarse region, then with the residuals), with --strokes 1 one simulated stroke, and baselines.
Where a baseline has a free choice (which of four shades, how large an ellipse), the one that is
best on these very cases, over all types, is shown. NOT_FOUND counts as an empty outline (Dice 0);
two rows tell what would have been outlined all the same.

Then false alarms on pictures without a tumor: test part of pancreas CT and hippocampus MR, and
slices of one healthy abdomen, whose only patient was in the training (CHAOS).
FOLDER holds open/; without it the bundled sarcoma samples are used.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.metrics import dice
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.common import clock, execute, tell
from Testing.Benchmarks.unseen.asking import STROKE, Asker, open_bundled, open_fold
from Testing.Benchmarks.unseen.baselines import (
    RECONSTRUCTION,
    Autoencoder,
    BoolArray,
    shape_and_shade,
)
from Testing.Benchmarks.unseen.report import TRAINED_ON, Alarm, Report, Scored
from Testing.Benchmarks.unseen.types import (
    CHAOS,
    HEALTHY,
    TYPES,
    Asked,
    CutCase,
    chaos_slices,
    cut_cases,
)

_SAMPLES = ("sarcoma-ct", "sarcoma-mr")
_BUNDLED = "bundled"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="holds open/")
    parser.add_argument("--models", type=Path, metavar="RUNS", help="holds FOLD/model")
    parser.add_argument("--bundled", action="store_true", help="ask the shipped model instead")
    parser.add_argument(
        "--types", nargs="+", choices=(*TYPES, "none"), metavar="TYPE",
        help=f"of {', '.join(TYPES)}; none: healthy pictures only (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--part", choices=("all", "test"), default="all",
        help="of a type's cases: all, or only those of the split's test part (default: all)",
    )  # fmt: skip
    parser.add_argument("--strokes", type=int, choices=(0, 1), default=0)
    parser.add_argument("--no-healthy", action="store_true", help="leave healthy pictures out")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many cases a type")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda, cuda:N, xpu or mps")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the method, and of the cuts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="tables and every single case")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Every type with the model that never saw it; then what none of them should see."""
    if (args.models is None) != args.bundled:
        raise InputError("Give either --models RUNS or --bundled: which models are asked?")
    if args.bundled:
        args.part = "test"
    title = "Types that training showed" if args.bundled else "Types that training left out"
    report = Report(title, _conditions(args), whole_types=args.part == "all")
    for kind in _types(args):
        begun = clock("cpu")
        scored = list(_type(kind, TYPES[kind], args))
        report.scored += scored
        tell(f"{kind}: {len({one.case for one in scored})} cases, {clock('cpu') - begun:.0f} s")
        _save(report, args)
    if not args.no_healthy and args.data is not None:
        for alarm in _healthy(args):
            report.alarms.append(alarm)
        _save(report, args)
    print(report.text(), flush=True)
    return 0


def _types(args: argparse.Namespace) -> list[str]:
    chosen = args.types or list(TYPES if args.data is not None else _SAMPLES)
    return [kind for kind in chosen if kind != "none"]


def _type(kind: str, asked: Asked, args: argparse.Namespace) -> Iterator[Scored]:
    asker = _asker(asked.fold, args)
    autoencoder = Autoencoder(asker.model, args.device)
    cases = list(cut_cases(asked, args.data, None, args.seed))
    if args.part == "test":
        cases = [one for one in cases if one.in_test]
    for one in _evenly(cases, args.limit):
        yield from _own(kind, asked, one, asker, args.strokes)
        yield _scored(kind, one, RECONSTRUCTION, autoencoder.missed(one.case.image))
        for name, outline in shape_and_shade(one.case.image).items():
            yield _scored(kind, one, name, outline)


def _own(kind: str, asked: Asked, one: CutCase, asker: Asker, strokes: int) -> Iterator[Scored]:
    for name, outline, verdict in asker.parts(one.case.image, asked.text):
        yield _scored(kind, one, name, outline, verdict.name)
    if strokes:
        outline, verdict = asker.stroke(one.case, asked.text)
        yield _scored(kind, one, STROKE, outline, verdict.name)


def _scored(kind: str, one: CutCase, name: str, outline: BoolArray, state: str = "") -> Scored:
    reached = dice(outline, one.case.truth)
    return Scored(kind, one.case.name, one.in_test, name, reached, state)


def _healthy(args: argparse.Namespace) -> Iterator[Alarm]:
    folds = [_BUNDLED] if args.bundled else list(dict.fromkeys(a.fold for a in TYPES.values()))
    for fold in folds:
        asker = _asker(fold, args)
        for pictures, text, name, image in _healthy_pictures(args):
            state, score = asker.verdict(image, text)
            yield Alarm(pictures, name, fold, state.name, score)
        tell(f"healthy pictures, model {fold}")


def _healthy_pictures(args: argparse.Namespace) -> Iterator[tuple[str, str, str, Image]]:
    """(pictures, text, name, image)."""
    for pictures, asked in HEALTHY.items():
        cases = [one for one in cut_cases(asked, args.data, None, args.seed) if one.in_test]
        for one in _evenly(cases, args.limit):
            yield pictures, asked.text, one.case.name, one.case.image
    for number, image in enumerate(_evenly(chaos_slices(args.data, args.seed), args.limit)):
        yield f"CHAOS ({TRAINED_ON})", CHAOS.text, f"slice {number}", image


def _evenly(items: list[Any], limit: int | None) -> list[Any]:
    if limit is None or limit >= len(items):
        return items
    return [items[number * len(items) // limit] for number in range(limit)]


def _asker(fold: str, args: argparse.Namespace) -> Asker:
    if args.bundled:
        session = open_bundled(args.device, args.seed)
    else:
        session = open_fold(args.models, fold, args.device, args.seed)
    return Asker(session, args.seed)


def _save(report: Report, args: argparse.Namespace) -> None:
    if args.json is not None:
        report.write(args.json)


def _conditions(args: argparse.Namespace) -> dict[str, Any]:
    """What a reader needs to repeat the tables."""
    import torch

    told: dict[str, Any] = {"cuts": "60 to 90 % of the sides, at random"}
    if args.limit:
        told["limit"] = f"{args.limit} cases a type, evenly over their names"
    told |= {"device": args.device, "threads": torch.get_num_threads()}
    return told | {"torch": str(torch.__version__), "seed": args.seed}


if __name__ == "__main__":
    raise SystemExit(main())
