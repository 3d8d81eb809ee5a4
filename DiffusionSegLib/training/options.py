"""Options that several training commands have alike."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from DiffusionSegLib.training.presets import read_overrides

__all__ = ["add_common_options", "add_data_options", "chosen_values"]


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Of trainings on packed pictures of several data sets."""
    parser.add_argument(
        "--output", "-o", type=Path, help="folder of the run; used again, it continues"
    )
    parser.add_argument("--data", type=Path, help="folder of the data sets, to pack them")
    parser.add_argument(
        "--sources", type=Path, help="JSON list of what to take from there (default: the shipped)"
    )
    parser.add_argument(
        "--packed", type=Path, help="packed data to write or to read (default OUTPUT/data)"
    )
    parser.add_argument("--pack-only", action="store_true", help="write the packed data and stop")


def add_common_options(parser: argparse.ArgumentParser, usual_seed: str, example: str) -> None:
    """usual_seed: in words; example: a setting, as "batch=32"."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, xpu or mps")
    parser.add_argument("--seed", type=int, help=f"seed instead of {usual_seed}")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"any other training setting, for instance --set {example} (repeatable)",
    )
    parser.add_argument(
        "--export", type=Path, help="folder for the finished model (default OUTPUT/model)"
    )


def chosen_values(args: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """Settings given on the command line: by --set, and by options of their own where given.

    Raises InputError for a --set that is none.
    """
    own = {name: getattr(args, name) for name in names if getattr(args, name) not in (None, "")}
    return read_overrides(args.set) | own
