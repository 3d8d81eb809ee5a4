"""Which packed file a training command reads or writes."""

from __future__ import annotations

import argparse
from pathlib import Path

from DiffusionSegLib.errors import InputError

__all__ = ["data_folder", "packed_path"]


def packed_path(args: argparse.Namespace) -> Path:
    """--packed, else in --output; raises InputError without either."""
    if args.packed is not None:
        return Path(args.packed)
    if args.output is None:
        raise InputError("Give --packed, the file of packed data, or --output, the run's folder.")
    return Path(args.output) / "data.safetensors"


def data_folder(args: argparse.Namespace, packed: Path) -> Path:
    """--data, from which the packed file is made; raises InputError when it is no folder."""
    if args.data is None or not args.data.is_dir():
        raise InputError(
            f"There are no packed data {packed}, and --data must be an existing folder of data "
            f"sets to make them, not {args.data}."
        )
    return Path(args.data)
