"""`diffusionseg train METHOD ...`: the options belong to the method's own training."""

from __future__ import annotations

import argparse
from typing import Any

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.opening import add_common_options
from DiffusionSegLib.cli.parser import Parser
from DiffusionSegLib.cli.plugins import trainable_methods, training_of
from DiffusionSegLib.cli.progress_bar import progress_bar


def add_parser(subparsers: Any) -> None:
    """Registers the command; the method's options are only read when it runs."""
    parser = subparsers.add_parser(
        "train",
        help="train a model",
        description="Trains a model. The options differ: 'diffusionseg train METHOD --help'.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("method", metavar="METHOD", help=", ".join(trainable_methods()))
    rest = parser.add_argument("rest", nargs=argparse.REMAINDER, help="its options")
    rest.required = False


def run(args: argparse.Namespace) -> int:
    """Hands the rest of the line to the method's training."""
    training = training_of(args.method)
    parser = Parser(prog=f"diffusionseg train {args.method}", description=training.__doc__)
    training.add_arguments(parser)
    add_common_options(parser)
    settings = parser.parse_strictly(args.rest)
    with progress_bar(settings.quiet) as progress:
        summary = training.run(settings, progress)
    print(summary)
    return exit_codes.OK
