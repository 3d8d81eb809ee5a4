"""`diffusionseg demo`: outlines the sample images and makes a page of the results."""

from __future__ import annotations

import argparse
import os
import platform
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib import __version__
from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.evaluation_text import decimals
from DiffusionSegLib.cli.opening import add_common_options
from DiffusionSegLib.cli.outputs import check_outputs
from DiffusionSegLib.cli.progress_bar import progress_bar
from DiffusionSegLib.errors import OutputError

if TYPE_CHECKING:
    from DiffusionSegLib.demo.run import SampleResult

DESCRIPTION = """\
Outlines the sample images that come with the program, each with its own model, some of them by
ADZUS, which no outline was ever shown to, and one by DiffuGTS, which is asked in words. Writes the
outlines (.seg.nrrd), overlay pictures (.png) and one page (index.html) that shows image, outline,
probability and uncertainty, with Dice against the known outline. Needs no network.
"""


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser(
        "demo", help="outline the sample images, make a page of them", description=DESCRIPTION
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--output", type=Path, default=Path("diffusionseg-demo"), metavar="DIR",
        help="folder for the results, created if needed (default: diffusionseg-demo)",
    )  # fmt: skip
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    add_common_options(parser)


def run(args: argparse.Namespace) -> int:
    """Prints a small table and the path of the page."""
    from DiffusionSegLib.demo.page import render_page
    from DiffusionSegLib.demo.run import run_samples
    from DiffusionSegLib.demo.samples import samples_folder
    from DiffusionSegLib.demo.shown import shown_samples
    from DiffusionSegLib.io.atomic import atomic_file

    samples, lack = shown_samples(samples_folder())
    page = _folder(args.output) / "index.html"
    check_outputs([page])
    with progress_bar(args.quiet) as progress:
        results = run_samples(samples, args.output, progress)
    machine = f"{os.cpu_count()} CPU cores, {platform.system()} {platform.machine()}"
    with atomic_file(page) as file:
        file.write(render_page(results, machine, __version__).encode())
    if not args.quiet:
        told = [f"Left out what is asked for in words. {lack}"] if lack else []
        print("\n".join([*_table(results), *told, "", f"The page: {page.resolve()}"]))
    if args.open:
        webbrowser.open(page.resolve().as_uri())
    return exit_codes.BAD_INPUT if any(result.error for result in results) else exit_codes.OK


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {path} cannot be made ({error.strerror}); choose another --output."
        ) from error
    return path


def _table(results: list[SampleResult]) -> list[str]:
    width = max(len(result.sample.id) for result in results)
    lines = [f"{'image':<{width}}  {'model':<20}  {'Dice':>6}  {'seconds':>7}  verdict"]
    for result in results:
        model = f"{result.sample.method}/{result.sample.model}"
        if result.error is not None or result.proposal is None:
            lines.append(f"{result.sample.id:<{width}}  {model:<20}  failed: {result.error}")
            continue
        lines.append(
            f"{result.sample.id:<{width}}  {model:<20}  {decimals(result.dice, 3):>6}  "
            f"{result.seconds:>7.1f}  {result.proposal.verdict.state.name}"
        )
    return lines
