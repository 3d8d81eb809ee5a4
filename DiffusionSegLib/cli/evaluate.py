"""`diffusionseg evaluate`: how well a method outlines images whose outlines are known."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.cli import arguments, exit_codes, outputs
from DiffusionSegLib.cli.evaluation_text import (
    case_line,
    header_line,
    negative_line,
    summary_lines,
)
from DiffusionSegLib.cli.opening import (
    Choice,
    add_common_options,
    add_method_options,
    choose,
    open_session,
)
from DiffusionSegLib.cli.progress_bar import progress_bar
from DiffusionSegLib.errors import InputError, OutputError, unknown_name

if TYPE_CHECKING:
    from DiffusionSegLib.evaluation.cases import Pairing
    from DiffusionSegLib.evaluation.runner import EvaluationOptions
    from DiffusionSegLib.evaluation.scores import CaseResult, NegativeResult
    from DiffusionSegLib.progress import Progress
    from DiffusionSegLib.session import Session

DESCRIPTION = """\
Measures a method against known outlines: Dice, IoU, 95th percentile Hausdorff distance (mm;
pixels for photographs), volume error (%), calibration (ECE, Brier score), seconds per case and
the verdict.

images/NAME.* belongs to labels/NAME.*. Channels have files of their own (NAME_ct.nii.gz,
NAME_mr.nii.gz); --channels ct takes one of them. A photograph's object is whatever is not 0 in its
label; with several labels the values are compared one by one (--label-values 1,2 says which).
When both outlines are empty, Dice is 1; when one is, Dice is 0 and a distance is not defined.

With --clicks the user clicks the object's centre, then the centre of the largest error each time.
NoC85 and NoC90 are the clicks until the IoU is 0.85 and 0.90; who never gets there counts with N.
What --oracle reports is for comparison with papers that choose regions with the known outline; it
is no result of the method, and says ORACLE wherever it stands.

Exit codes: 0 all cases were measured; 2 the input, or a single case, cannot be used;
3 a mistake in the program; 130 stopped with Ctrl-C.
"""
SHEET_SUFFIXES = (".png", ".jpg")


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "evaluate", help="measure a method against known outlines", description=DESCRIPTION
    )
    parser.set_defaults(run=run)
    parser.add_argument("--images", required=True, type=Path, metavar="DIR")
    parser.add_argument("--labels", required=True, type=Path, metavar="DIR")
    add_method_options(parser)
    _add_case_options(parser)
    _add_output_options(parser)
    add_common_options(parser)


def _add_case_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cases")
    group.add_argument(
        "--label-values", type=arguments.label_values, default=(), metavar="1,2",
        help="values of the known outline to compare with (default: the model's)",
    )  # fmt: skip
    group.add_argument(
        "--ignore-value", type=arguments.whole_number(0, 255), metavar="255",
        help="voxels of the known outline with this value count for nothing",
    )  # fmt: skip
    chosen = group.add_mutually_exclusive_group()
    chosen.add_argument("--cases", type=Path, metavar="FILE", help="one case name per line")
    chosen.add_argument(
        "--split", metavar="PART", help="train, validation or test, as listed by the model"
    )
    group.add_argument("--limit", type=arguments.whole_number(1), metavar="N", help="first N cases")
    group.add_argument(
        "--clicks", type=arguments.whole_number(0, 100), default=0, metavar="N",
        help="let a simulated user click N times (20 in papers), and measure after each click",
    )  # fmt: skip
    group.add_argument(
        "--oracle", action="store_true",
        help="also report the best union of the method's regions, chosen WITH the known outline",
    )  # fmt: skip
    group.add_argument(
        "--negatives", type=Path, metavar="DIR",
        help="images known not to show the object: how often is something found?",
    )  # fmt: skip


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    group.add_argument("--json", type=Path, metavar="F", help="all numbers; - prints them")
    group.add_argument("--csv", type=Path, metavar="F", help="a row per case and label")
    group.add_argument(
        "--sheet", type=Path, metavar="F.png", help="picture of the best, median and worst case"
    )


def run(args: argparse.Namespace) -> int:
    """Prints a line per case as it is done, then the means."""
    from DiffusionSegLib.evaluation.report import summarise

    _check_outputs(args)
    choice = choose(args)
    pairing = _cases(args, choice)
    negatives = _negatives(args, choice)
    options = _options(args)
    show = not args.quiet and not _prints_json(args)
    with progress_bar(args.quiet) as progress:
        session = open_session(choice, args)
        results, alarms = _measure(session, pairing, negatives, options, progress, show)
    if show:
        for line in summary_lines(summarise(results, alarms), pairing.unpaired):
            print(line)
    _write(args, choice, results, alarms)
    failed = any(result.error for result in results) or any(alarm.error for alarm in alarms)
    return exit_codes.BAD_INPUT if failed else exit_codes.OK


def _measure(
    session: Session,
    pairing: Pairing,
    negatives: Pairing | None,
    options: EvaluationOptions,
    progress: Progress,
    show: bool,
) -> tuple[list[CaseResult], list[NegativeResult]]:
    from DiffusionSegLib.evaluation.runner import evaluate_cases, evaluate_negatives

    extra = negatives.cases if negatives else ()
    share = len(pairing.cases) / (len(pairing.cases) + len(extra))
    first, second = progress.part(0.0, share), progress.part(share, 1.0)
    width = max(len(case.name) for case in (*pairing.cases, *extra))
    lines = [header_line(width)] if show else []
    print(*lines, sep="\n", end="\n" if lines else "")
    results = list(
        _shown(evaluate_cases(session, pairing.cases, options, first), show, width, case_line)
    )
    alarms = list(
        _shown(evaluate_negatives(session, extra, options, second), show, width, negative_line)
    )
    return results, alarms


def _shown(results: Iterator[Any], show: bool, width: int, line: Any) -> Iterator[Any]:
    for result in results:
        if show:
            print(line(result, width), flush=True)
        yield result


def _cases(args: argparse.Namespace, choice: Choice) -> Pairing:
    from dataclasses import replace

    from DiffusionSegLib.evaluation.cases import find_cases, read_case_names

    only: tuple[str, ...] = ()
    if args.cases:
        only = read_case_names(args.cases)
    elif args.split:
        only = _split(args.split, choice)
    pairing = find_cases(args.images, args.labels, _inputs(choice), _channels(args, choice), only)
    return replace(pairing, cases=pairing.cases[: args.limit])


def _negatives(args: argparse.Namespace, choice: Choice) -> Pairing | None:
    from DiffusionSegLib.evaluation.cases import find_images

    if args.negatives is None:
        return None
    return find_images(args.negatives, _inputs(choice), _channels(args, choice))


def _inputs(choice: Choice) -> list[str]:
    return [str(part.name) for part in choice.model.inputs]


def _channels(args: argparse.Namespace, choice: Choice) -> tuple[str, ...]:
    """A model with one input takes whatever channel is named; with several it must know it."""
    inputs = _inputs(choice)
    known = {name.lower() for name in inputs}
    for name in args.channels:
        if len(inputs) > 1 and name.lower() not in known:
            raise unknown_name(f"input of {choice.model.id}", name, inputs)
    if len(args.channels) > max(1, len(inputs)):
        raise InputError(
            f"{choice.model.id} takes {len(inputs)} channels, but --channels names "
            f"{len(args.channels)}: {', '.join(args.channels)}."
        )
    chosen: tuple[str, ...] = tuple(args.channels)
    return chosen


def _split(part: str, choice: Choice) -> tuple[str, ...]:
    splits = dict(choice.model.splits)
    if part not in splits:
        raise unknown_name(f"split of {choice.model.id}", part, splits)
    return tuple(splits[part])


def _options(args: argparse.Namespace) -> EvaluationOptions:
    from DiffusionSegLib.evaluation.runner import EvaluationOptions
    from DiffusionSegLib.nouns.prompt import Prompt

    return EvaluationOptions(
        prompt=Prompt(text=args.text),
        threshold=args.threshold,
        label_values=args.label_values,
        ignore_value=args.ignore_value,
        clicks=args.clicks,
        pictures=args.sheet is not None,
        oracle=args.oracle,
    )


def _prints_json(args: argparse.Namespace) -> bool:
    return args.json is not None and str(args.json) == "-"


def _check_outputs(args: argparse.Namespace) -> None:
    wanted = [path for path in (args.csv, args.sheet) if path is not None]
    if args.json is not None and not _prints_json(args):
        wanted.append(args.json)
    outputs.check_outputs(wanted, _given_files(args))
    if args.sheet is not None and args.sheet.suffix.lower() not in SHEET_SUFFIXES:
        raise OutputError(
            f"The picture sheet {args.sheet} must end in {' or '.join(SHEET_SUFFIXES)}."
        )


def _given_files(args: argparse.Namespace) -> list[Path]:
    """What is measured must never be replaced by what is measured of it."""
    folders = [folder for folder in (args.images, args.labels, args.negatives) if folder]
    found = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    return [*found, args.cases] if args.cases is not None else found


def _write(
    args: argparse.Namespace,
    choice: Choice,
    results: list[CaseResult],
    alarms: list[NegativeResult],
) -> None:
    from DiffusionSegLib.evaluation.report import to_csv, to_plain
    from DiffusionSegLib.evaluation.sheet import compose_sheet
    from DiffusionSegLib.io.atomic import atomic_file

    text = json.dumps(to_plain(results, alarms, _setting(args, choice)), indent=2) + "\n"
    if _prints_json(args):
        print(text, end="")
    elif args.json is not None:
        with atomic_file(args.json) as file:
            file.write(text.encode())
    if args.csv is not None:
        with atomic_file(args.csv) as file:
            file.write(to_csv(results).encode())
    if args.sheet is not None:
        kind = "PNG" if args.sheet.suffix.lower() == ".png" else "JPEG"
        with atomic_file(args.sheet) as file:
            compose_sheet(results).save(file, format=kind)


def _setting(args: argparse.Namespace, choice: Choice) -> dict[str, Any]:
    """What the numbers belong to."""
    from DiffusionSegLib import __version__

    return {
        "version": __version__,
        "method": choice.description.name,
        "model": choice.model.id,
        "images": str(args.images),
        "labels": str(args.labels),
        "text": args.text,
        "channels": list(args.channels),
        "split": args.split,
        "samples": args.samples,
        "threshold": args.threshold,
        "clicks": args.clicks,
        "ORACLE": args.oracle,
        "seed": args.seed,
        "device": args.device,
        "parameters": choice.parameters,
    }
