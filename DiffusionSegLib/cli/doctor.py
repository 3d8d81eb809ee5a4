"""`diffusionseg doctor`: what works here and what does not, as a text that can be shown."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.opening import add_common_options
from DiffusionSegLib.cli.outputs import check_outputs
from DiffusionSegLib.cli.progress_bar import progress_bar
from DiffusionSegLib.errors import OutputError

DESCRIPTION = """\
Examines this installation: versions, the packages of the worker's Python, devices with their
memory and why one cannot be used, models with the beginning of their SHA-256 and whether the files
agree with it, free space, the worker, and one sample image per method, outlined and compared with
its known outline. Takes about half a minute on a processor; nothing is installed, downloaded or
changed.

The report can be shown to others, in a forum for instance: it holds no name of a user, a computer,
an image or a patient, no address and no token; of settings only their names.
"""
EPILOG = """\
The last line is "Everything works.", or the problems follow, numbered, each with what to do.
Exit code: 0 when everything works, 2 when there is a problem, 130 when it was stopped (Ctrl-C).

examples:
  diffusionseg doctor                       all of it, on the screen
  diffusionseg doctor --no-run              the quick part: no worker, no sample image
  diffusionseg doctor --output report.txt   into a file, to attach it
  diffusionseg doctor --json                for a program
"""


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="examine the installation, for a report that can be shown",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--no-run", action="store_true", help="do not start the worker nor outline samples: quick"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the report there instead of printing it"
    )
    add_common_options(parser)


def run(args: argparse.Namespace) -> int:
    """With --quiet only the verdict on an installation with problems is printed."""
    from DiffusionSegLib.doctor.report import report

    if args.output is not None:
        check_outputs([args.output])
    with progress_bar(args.quiet, every_stage=True) as progress:
        found = report(run=not args.no_run, progress=progress)
    text = json.dumps(found.to_dict(), indent=2) + "\n" if args.json else found.text
    if args.output is not None:
        _write(args.output, text)
        if not args.quiet:
            print(f"{found.verdict}\n\nThe report: {args.output}")
    elif args.json or not args.quiet:
        print(text, end="")
    elif not found.works:
        print(found.verdict)
    return exit_codes.OK if found.works else exit_codes.BAD_INPUT


def _write(path: Path, text: str) -> None:
    """A report that cannot be written is printed: it took its time."""
    from DiffusionSegLib.io.atomic import atomic_file

    try:
        with atomic_file(path) as stream:
            stream.write(text.encode())
    except OutputError:
        print(text, end="")
        raise
