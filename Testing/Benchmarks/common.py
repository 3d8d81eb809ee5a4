"""What every benchmark's command line shares: models, device, threads, limits, errors."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import DiffusionSegError, InputError
from Testing.Benchmarks.datasets import FOLDERS, SAMPLES


def new_parser(description: str | None, data: bool = True) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have; data: with --data."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help=f"of {', '.join(FOLDERS)} (default: all bundled)"
    )
    if data:
        parser.add_argument(
            "--data", type=Path, default=SAMPLES, metavar="ROOT",
            help="folder that holds the data sets by name (default: the bundled samples)",
        )  # fmt: skip
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many test cases a model")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, xpu or mps")
    parser.add_argument("--threads", type=int, help="of torch on the CPU (default: torch's own)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    return parser


def execute(
    parser: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace], int],
    arguments: Sequence[str] | None,
) -> int:
    """Parse and run; what is wrong with the input becomes one sentence and exit code 2."""
    import torch

    from DiffusionSegLib.compute.device import resolve_device

    args = parser.parse_args(arguments)
    try:
        if args.threads:
            torch.set_num_threads(args.threads)
        args.device = resolve_device(args.device)
        with warnings.catch_warnings():
            # MONAI and torch speak to programmers here.
            warnings.simplefilter("ignore")
            return run(args)
    except DiffusionSegError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2


def chosen_models(args: argparse.Namespace) -> list[ModelEntry]:
    """The bundled cDAL models that were asked for; raises InputError when there is none."""
    entries = [entry for entry in ModelStore().list("cdal") if entry.name in FOLDERS]
    unknown = sorted(set(args.models) - {entry.name for entry in entries})
    if unknown or not entries:
        there = ", ".join(entry.name for entry in entries) or "none"
        raise InputError(
            f"No bundled model is named {', '.join(unknown) or 'so'}; there is {there}."
        )
    return [entry for entry in entries if not args.models or entry.name in args.models]


def conditions(args: argparse.Namespace, **more: Any) -> dict[str, Any]:
    """What a reader needs to repeat the table."""
    import torch

    told: dict[str, Any] = {"split": "test part of each model's card"}
    if getattr(args, "limit", None):
        told["split"] += f", its first {args.limit} cases at most"
    told |= {"device": args.device, "threads": torch.get_num_threads()}
    return told | {"torch": str(torch.__version__), "seed": args.seed} | more


def tell(text: str) -> None:
    """A line for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def clock(device: str) -> float:
    """Processor seconds on the CPU (fair on a shared machine), wall seconds on a GPU."""
    if device == "cpu":
        return time.process_time()
    import torch

    if device.startswith(("cuda", "xpu")):
        getattr(torch, device.partition(":")[0]).synchronize()
    return time.monotonic()
