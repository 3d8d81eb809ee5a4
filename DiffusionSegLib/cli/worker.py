"""`diffusionseg worker`: computes for a front end, which speaks to it over stdin and stdout."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.opening import add_common_options
from DiffusionSegLib.errors import InputError

DESCRIPTION = """\
Keeps models and prepared images in memory and outlines for a front end, for instance 3D Slicer,
which starts it by itself; on another computer with `ssh HOST diffusionseg worker`. It speaks in
binary frames on stdin and stdout, logs to stderr, and ends when its front end does.
"""


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "worker", help="compute for a front end such as 3D Slicer", description=DESCRIPTION
    )
    parser.set_defaults(run=run)
    add_common_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serves until the front end is gone."""
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(
            "A worker is started by a front end, not typed to: enter this command in the settings "
            "of the DiffusionSeg module, or use 'diffusionseg segment' here."
        )
    from DiffusionSegLib.worker.serve import serve

    serve()
    return exit_codes.OK
