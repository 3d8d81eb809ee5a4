"""How well one click outlines an object that no network was trained to find, and what more clicks
bring: a DiffusionSeg method beside the classical interactive algorithms, in one run.

    python -m Testing.Benchmarks.zero_shot_clicks --data FOLDER
    python -m Testing.Benchmarks.zero_shot_clicks --methods grabcut growcut --sets skin-lesion

Every algorithm gets the same simulated user: the first click in the middle of the object, each
further one in the middle of the largest error of that algorithm's own outline, at most 10 in all
(DiffusionSegLib/evaluation/clicks.py). Printed per data set: mean Dice after 1, 3 and 5 clicks;
mean number of clicks until Dice 0.80 and 0.90, where a case that never gets there counts 10, and
how many those are; seconds per click and, once per image, for preparing it.

The baselines' parameters were chosen once, on open cases that are not test cases
(zero_shot/tuning.py). `disc` looks at nothing and is no rival; it says what a disc around the
clicks is worth. FOLDER holds open/ and restricted/; without it the bundled samples are used.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import InputError, unknown_name
from DiffusionSegLib.methods.contract import Value
from DiffusionSegLib.methods.registry import get_method, method_names
from DiffusionSegLib.session import Session
from DiffusionSegLib.training.splits import PARTS
from Testing.Benchmarks.common import clock, execute, tell
from Testing.Benchmarks.zero_shot.baselines import BASELINES, RIVALS, share_threads
from Testing.Benchmarks.zero_shot.cases import MORE_SETS, SAMPLE_SETS, SETS, load_cases
from Testing.Benchmarks.zero_shot.clicking import MOST_CLICKS, click_case
from Testing.Benchmarks.zero_shot.outliner import Outliner, SessionOutliner
from Testing.Benchmarks.zero_shot.report import Found, Report
from Testing.Benchmarks.zero_shot.sets import ALL, find_set

DEFAULT_METHOD = "adzus"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="holds open/ and restricted/")
    parser.add_argument(
        "--sets", nargs="+", metavar="SET",
        help=f"of {', '.join((*SETS, *MORE_SETS))} (default: all but {', '.join(MORE_SETS)}); "
        f"without --data of {', '.join(SAMPLE_SETS)}",
    )  # fmt: skip
    parser.add_argument(
        "--methods", nargs="+", metavar="METHOD", default=[DEFAULT_METHOD, *BASELINES],
        help=f"registered methods, also as METHOD/MODEL, and of {', '.join(BASELINES)} "
        f"(default: {DEFAULT_METHOD} and all these)",
    )  # fmt: skip
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE",
        help="of the registered methods (repeatable)",
    )  # fmt: skip
    parser.add_argument("--part", choices=(*PARTS, ALL), default="test")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many cases a set")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, xpu or mps")
    parser.add_argument("--threads", type=int, default=1, help="of every algorithm (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the methods, and of the cuts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="tables and every single case")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Click through every data set with every algorithm."""
    names = args.sets or list(SETS if args.data is not None else SAMPLE_SETS)
    share_threads(args.threads)
    outliners = {name: _outliner(name, args) for name in args.methods}
    report = Report(_conditions(names, args), [])
    for name in names:
        report.found += _click_set(name, outliners, args)
        if args.json is not None:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            report.write(args.json)
    print(report.text(), flush=True)
    return 0


def _click_set(
    name: str, outliners: Mapping[str, Outliner], args: argparse.Namespace
) -> list[Found]:
    cases = list(load_cases(name, args.data, args.part, args.limit, args.seed))
    if not cases:
        raise InputError(
            f"The part {args.part} of {name} holds no case that shows the object; choose another "
            "--part or leave the set out with --sets."
        )
    found = []
    for algorithm, outliner in outliners.items():
        begun = clock("cpu")
        clicked = tuple(click_case(outliner, case, args.device) for case in cases)
        found.append(Found(name, algorithm, clicked, _role(algorithm)))
        tell(f"{name}, {algorithm}: {len(cases)} cases, {clock('cpu') - begun:.0f} s")
    return found


def _role(algorithm: str) -> str:
    if algorithm in RIVALS:
        return "rival"
    return "floor" if algorithm in BASELINES else "method"


def _outliner(name: str, args: argparse.Namespace) -> Outliner:
    if name in BASELINES:
        return BASELINES[name]()
    method, _, model = name.partition("/")
    if method not in method_names():
        raise unknown_name("method or baseline", method, (*method_names(), *BASELINES))
    parameters = _parameters(method, args.parameter)
    return SessionOutliner(Session(method, model or None, args.device, args.seed, parameters))


def _parameters(method: str, given: Iterable[str]) -> dict[str, Value]:
    specs = {spec.name: spec for spec in get_method(method).description.parameters}
    found: dict[str, Value] = {}
    for text in given:
        name, mark, value = text.partition("=")
        if not mark or name not in specs:
            raise unknown_name(f"parameter of {method}", name, specs)
        found[name] = specs[name].parse(value)
    return found


def _conditions(names: Sequence[str], args: argparse.Namespace) -> dict[str, Any]:
    """What a reader needs to repeat the tables."""
    import cv2
    import SimpleITK as sitk

    told: dict[str, Any] = {"part": args.part}
    for name in names:
        found = find_set(name, args.data)[0]
        if not found.split and found.why:
            told[name] = found.why
    if args.limit:
        told["limit"] = f"{args.limit} cases a set, evenly over their names"
    told |= {"most clicks": MOST_CLICKS, "device": args.device, "threads": args.threads}
    told |= {"seconds": "of the processor" if args.device == "cpu" else "of the clock"}
    versions = {"OpenCV": cv2.getVersionString(), "scikit-image": version("scikit-image")}
    versions["SimpleITK"] = sitk.Version_VersionString()
    return told | versions | {"seed": args.seed, "parameters": ", ".join(args.parameter) or "-"}


if __name__ == "__main__":
    raise SystemExit(main())
