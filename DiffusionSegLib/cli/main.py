"""`diffusionseg`: picks the command, and turns every failure into a sentence and an exit code.

Starting it must stay quick, so nothing heavier than argparse is imported here: each command
imports what it needs when it runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress

from DiffusionSegLib import __version__
from DiffusionSegLib.cli import (
    convert,
    demo,
    doctor,
    evaluate,
    exit_codes,
    methods,
    models,
    segment,
    train,
    worker,
)
from DiffusionSegLib.cli.arguments import join_negative_coordinates
from DiffusionSegLib.cli.crash_report import write_crash_report
from DiffusionSegLib.cli.parser import Parser
from DiffusionSegLib.cli.streams import cannot_print, leave_output, prepare_streams
from DiffusionSegLib.errors import Cancelled, DiffusionSegError

COMMANDS = (segment, evaluate, methods, models, train, convert, demo, doctor, worker)
DESCRIPTION = """\
Outlines medical images with generative diffusion models (not diffusion MRI). Not for clinical use.
"""


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(prog="diffusionseg", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"DiffusionSeg {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code (see exit_codes.py)."""
    prepare_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    args: argparse.Namespace | None = None
    try:
        parser = build_parser()
        args = parser.parse_strictly(join_negative_coordinates(words))
        if args.command is None:
            parser.error("no command is given")
        code = _run(args, debug)
        sys.stdout.flush()
        return code
    except SystemExit as leaving:  # --help and --version
        return int(leaving.code or 0)
    except (KeyboardInterrupt, Cancelled):
        print("Stopped.", file=sys.stderr)
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        return _reader_is_gone()
    except DiffusionSegError as error:
        if debug and args is not None:  # a misspelt line has no inner place to show
            raise
        return _complain(args, str(error), type(error).__name__, exit_codes.BAD_INPUT)
    except MemoryError:
        sentence = "The computer's memory is too small for this; try a smaller --region."
        return _complain(args, sentence, "OutOfMemoryError", exit_codes.BAD_INPUT)
    except Exception as error:  # the process boundary: nothing lies above
        if debug:
            raise
        return _unexpected(args, words, error)


def _run(args: argparse.Namespace, debug: bool) -> int:
    with warnings.catch_warnings():
        if not debug:
            # Warnings of libraries are written for programmers.
            warnings.simplefilter("ignore")
        return int(args.run(args))


def _unexpected(args: argparse.Namespace | None, words: Sequence[str], error: Exception) -> int:
    """A place to print to that is full, a package that is missing, or a mistake in the program."""
    from DiffusionSegLib.worker.failures import package_at_fault

    if isinstance(error, OSError) and cannot_print(error):
        leave_output()
        sentence = (
            f"What this command prints cannot be written ({error.strerror}); free some space, or "
            "let it print elsewhere."
        )
        return _complain(args, sentence, "OutputError", exit_codes.BAD_INPUT)
    package = package_at_fault(error)
    if package not in (None, "DiffusionSegLib"):
        sentence = (
            f"The Python package {package} is missing or broken in {sys.executable} ({error}); "
            f'install it again with "{sys.executable}" -m pip install --force-reinstall {package}.'
        )
        return _complain(args, sentence, "ModelError", exit_codes.BAD_INPUT)
    return _report_crash(args, words, error)


def _report_crash(args: argparse.Namespace | None, words: Sequence[str], error: Exception) -> int:
    report = write_crash_report(error, words)
    where = f"a report is in {report}" if report else "no report could be written"
    sentence = f"A mistake in the program stopped it ({type(error).__name__}); {where}."
    return _complain(args, sentence, "InternalError", exit_codes.INTERNAL_ERROR)


def _complain(args: argparse.Namespace | None, sentence: str, kind: str, code: int) -> int:
    """The sentence on stderr; with --json also as an object on stdout."""
    one_line = " ".join(sentence.split())
    told = {"error": {"kind": kind, "message": one_line}, "exit_code": code}
    with suppress(OSError):  # where nothing can be printed, the exit code still tells
        print(f"diffusionseg: {one_line}", file=sys.stderr)
    try:
        if getattr(args, "json", None) is True:
            print(json.dumps(told), flush=True)
    except OSError:
        leave_output()
    return code


def _reader_is_gone() -> int:
    """`diffusionseg ... | head`: whoever read stdout has enough."""
    leave_output()
    return exit_codes.OK


if __name__ == "__main__":
    sys.exit(main())
