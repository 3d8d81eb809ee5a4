"""`diffusionseg convert`: an authors' checkpoint as safetensors, without running its code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DiffusionSegLib.cli import exit_codes, outputs
from DiffusionSegLib.cli.opening import add_common_options
from DiffusionSegLib.cli.plugins import conversion_of
from DiffusionSegLib.errors import InputError, OutputError


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser("convert", help="convert a released checkpoint to safetensors")
    parser.set_defaults(run=run)
    parser.add_argument("method", metavar="METHOD")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE.safetensors")
    add_common_options(parser)


def run(args: argparse.Namespace) -> int:
    """Reads the checkpoint as plain tensors and writes them."""
    if args.output.suffix.lower() != ".safetensors":
        raise OutputError(f"The output {args.output} must end in .safetensors.")
    if not args.checkpoint.is_file():
        raise InputError(f"The checkpoint {args.checkpoint} does not exist; check its name.")
    outputs.check_outputs([args.output], [args.checkpoint])
    summary = conversion_of(args.method).convert(args.checkpoint, args.output)
    if not args.quiet:
        print(summary)
    return exit_codes.OK
