"""`diffusionseg segment`: an image in, an outline out."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.cli import arguments, exit_codes, outputs
from DiffusionSegLib.cli.auxiliary import auxiliary_lines, auxiliary_paths, write_auxiliary
from DiffusionSegLib.cli.candidates import (
    candidate_lines,
    candidate_paths,
    plain_candidates,
    write_candidates,
)
from DiffusionSegLib.cli.opening import (
    Choice,
    add_common_options,
    add_method_options,
    choose,
    open_session,
)
from DiffusionSegLib.cli.planned import print_plan, tell_plan
from DiffusionSegLib.cli.progress_bar import progress_bar
from DiffusionSegLib.cli.prompts import FRAMES, prompt_from
from DiffusionSegLib.errors import InputError

if TYPE_CHECKING:
    from DiffusionSegLib.nouns.image import Image
    from DiffusionSegLib.nouns.mask import Mask
    from DiffusionSegLib.nouns.prompt import Prompt
    from DiffusionSegLib.nouns.proposal import Proposal
    from DiffusionSegLib.progress import Progress
    from DiffusionSegLib.session import Session

DESCRIPTION = """\
Outlines one image with a generative diffusion model (not diffusion MRI). Not for clinical use.

Several images are co-registered channels of one input; they are put on the grid of the first.
Coordinates are world millimetres: RAS (right, anterior, superior: what 3D Slicer shows) unless
--frame says lps (what DICOM and ITK store) or pixel (voxel indices i,j,k from 0; on a photograph
column,row).

Exit codes: 0 an outline was written; 1 the object is not in the image, nothing was written;
2 the input cannot be used; 3 a mistake in the program; 130 stopped with Ctrl-C.
"""


@dataclass(frozen=True)
class Outcome:
    """What came out, and how long it took."""

    proposal: Proposal
    mask: Mask
    seconds: float
    device: str

    @property
    def found(self) -> bool:
        """Whether there is an outline to write."""
        return not self.mask.is_empty


def add_parser(subparsers: Any) -> None:
    """Registers the command."""
    parser = subparsers.add_parser("segment", help="outline an image", description=DESCRIPTION)
    parser.set_defaults(run=run)
    parser.add_argument(
        "images", nargs="+", type=arguments.image_path, metavar="IMAGE",
        help="file or DICOM folder",
    )  # fmt: skip
    parser.add_argument(
        "--series", metavar="UID", help="which series of a DICOM folder that holds several"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT",
        help="outline: .seg.nrrd (3D Slicer), .nrrd, .nii.gz, .mha; a picture also .png, .tif",
    )  # fmt: skip
    add_method_options(parser)
    _add_prompt_options(parser)
    parser.add_argument("--probability", type=Path, metavar="P", help="also write the probability")
    parser.add_argument("--uncertainty", type=Path, metavar="U", help="also write the uncertainty")
    parser.add_argument(
        "--candidates", action="store_true",
        help="also write the other outlines that the method offers, as OUT_candidate1 and so on",
    )  # fmt: skip
    parser.add_argument(
        "--auxiliary", type=Path, metavar="FOLDER",
        help="also write the images that explain the result (a pseudo-healthy image, a map), as "
        "FOLDER/OUT-name.nrrd; the folder must exist",
    )  # fmt: skip
    parser.add_argument(
        "--no-overwrite", action="store_true", help="refuse to replace a file that exists"
    )
    parser.add_argument(
        "--plan", "--dry-run", action="store_true",
        help="only say how it would be done, in which time and with how much memory; needs no -o",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")
    add_common_options(parser)


def _add_prompt_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("prompt")
    group.add_argument(
        "--point", type=arguments.point, action="append", default=[], metavar="x,y,z[:-]",
        help="a click inside the object; with :- outside of it (may be repeated)",
    )  # fmt: skip
    group.add_argument(
        "--box", type=arguments.box, action="append", default=[], metavar="x0,y0,z0,x1,y1,z1",
        help="two opposite corners around the object (may be repeated)",
    )  # fmt: skip
    group.add_argument(
        "--region", type=arguments.box, metavar="x0,y0,z0,x1,y1,z1",
        help="look only here: two opposite corners",
    )  # fmt: skip
    group.add_argument(
        "--frame", choices=FRAMES, default="ras", help="of the coordinates (default: ras)"
    )


def run(args: argparse.Namespace) -> int:
    """Everything that can be wrong is looked for before the computing starts."""
    choice = choose(args)
    if args.plan:
        return _plan(args, choice)
    label_count = len(choice.model.labels)
    _check_outputs(args, label_count)
    image = read_image(args, choice)
    _check_outputs(args, label_count, image.dimension)
    prompt, session = prompt_from(args, image), open_session(choice, args)
    tell_plan(session.plan(prompt, image), args.quiet)
    with progress_bar(args.quiet) as progress:
        outcome = _segment(args, session, image, prompt, progress)
        written = _write(args, outcome) if outcome.found else {}
    _announce(args, outcome, written)
    return exit_codes.OK if outcome.found else exit_codes.NOT_FOUND


def _plan(args: argparse.Namespace, choice: Choice) -> int:
    """Says what would be done; loads no network and writes nothing."""
    image = read_image(args, choice)
    prompt = prompt_from(args, image)
    print_plan(open_session(choice, args).plan(prompt, image), args.json)
    return exit_codes.OK


def read_image(args: argparse.Namespace, choice: Choice) -> Image:
    """All channels as one image, named as the model names its inputs where that can be told."""
    from DiffusionSegLib.evaluation.cases import channel_names
    from DiffusionSegLib.nouns.image import Image

    _check_different(args.images)
    inputs = [str(part.name) for part in choice.model.inputs]
    names = channel_names(args.images, inputs, args.channels)
    if args.channels and len(names) != len(args.images):
        raise InputError(
            f"--channels names {len(names)} channels, but {len(args.images)} images are given; "
            "name one per image, in the same order."
        )
    image = Image.read(args.images if len(args.images) > 1 else args.images[0], args.series)
    if len(names) == len(image.array) and not image.is_rgb:
        return replace(image, channel_names=names)
    return image


def _check_different(images: Sequence[Path]) -> None:
    """The same file twice is a slip, and no second channel."""
    seen: set[str] = set()
    for path in images:
        place = os.path.realpath(path)
        if place in seen:
            raise InputError(f"The image {path} is given twice; give each channel once.")
        seen.add(place)


def _check_outputs(
    args: argparse.Namespace, label_count: int, dimension: int | None = None
) -> None:
    if args.output is None:
        raise InputError("Say with -o where the outline is to be written, or ask for the --plan.")
    wanted = [path for path in (args.output, args.probability, args.uncertainty) if path]
    outputs.check_suffix(args.output, outputs.SEGMENTATION_SUFFIXES, dimension)
    for path in wanted[1:]:
        outputs.check_suffix(path, outputs.VOLUME_SUFFIXES, dimension)
    if args.probability:
        outputs.check_channels(args.probability, label_count)
    outputs.check_outputs(wanted, args.images, replace=not args.no_overwrite)
    if args.auxiliary:
        outputs.check_folder(args.auxiliary)


def _segment(
    args: argparse.Namespace, session: Session, image: Image, prompt: Prompt, progress: Progress
) -> Outcome:
    started = time.monotonic()
    session.set_image(image, prompt.region, progress=progress.part(0.0, 0.3))
    proposal = session.propose(prompt, progress=progress.part(0.3, 1.0))
    seconds = time.monotonic() - started
    device = proposal.provenance.device or session.device  # another one where memory was short
    return Outcome(proposal, proposal.mask(args.threshold), seconds, device)


def _write(args: argparse.Namespace, outcome: Outcome) -> dict[str, Any]:
    """The outline last: where it is, everything is."""
    uncertainty = outcome.proposal.uncertainty
    if args.uncertainty and uncertainty is None:
        raise InputError("This method gives no uncertainty; leave --uncertainty out.")
    written = _write_more(args, outcome.proposal)
    if args.probability:
        _as_file(outcome.proposal.probability, args.probability)
        written["probability"] = str(args.probability)
    if args.uncertainty and uncertainty is not None:
        _as_file(uncertainty, args.uncertainty)
        written["uncertainty"] = str(args.uncertainty)
    outcome.mask.write(args.output)
    written["segmentation"] = str(args.output)
    return written


def _write_more(args: argparse.Namespace, proposal: Proposal) -> dict[str, Any]:
    """What the method offers besides: how much that is is known only now. What is in the way of
    one of these files stays as it is."""
    others = proposal.alternatives if args.candidates else ()
    explaining = proposal.auxiliary if args.auxiliary else {}
    beside = candidate_paths(args.output, len(others))
    paths = auxiliary_paths(args.auxiliary, args.output, explaining) if explaining else {}
    if beside or paths:
        named = [path for path in (args.output, args.probability, args.uncertainty) if path]
        wanted = [*beside, *paths.values(), *named]
        outputs.check_outputs(wanted, args.images, replace=not args.no_overwrite)
    written: dict[str, Any] = {}
    if args.candidates:
        written["candidates"] = write_candidates(others, args.output)
    if args.auxiliary:
        written["auxiliary"] = write_auxiliary(explaining, paths)
    return written


def _as_file(image: Image, path: Path) -> None:
    """Fractions as they are; a picture holds them as 0 to 255."""
    if path.name.lower().endswith(outputs.PICTURE_SUFFIXES):
        image = replace(image, array=(image.array.clip(0, 1) * 255).round().astype("uint8"))
    image.write(path)


def _announce(args: argparse.Namespace, outcome: Outcome, written: dict[str, Any]) -> None:
    from DiffusionSegLib.planning.telling import adjusted_sentence

    if args.json:
        print(json.dumps(_as_plain(args, outcome, written), indent=2))
    elif not args.quiet:
        print(_sentence(args, outcome))
        if adjusted_sentence(outcome.proposal) and outcome.found:
            print(adjusted_sentence(outcome.proposal))
        if "candidates" in written:
            print(*candidate_lines(outcome.proposal.alternatives, written["candidates"]), sep="\n")
        if "auxiliary" in written:
            print(*auxiliary_lines(written["auxiliary"]), sep="\n")


def _sentence(args: argparse.Namespace, outcome: Outcome) -> str:
    verdict = outcome.proposal.verdict
    head = f"{verdict.state.name} ({verdict.score:.2f})"
    if not outcome.found:
        why = verdict.reason or "Nothing was outlined."
        if verdict.state.name != "NOT_FOUND":
            why = f"No voxel reaches the threshold {args.threshold:g}."
        return f"{head}: {why} Nothing was written."
    sizes = ", ".join(f"{size['name']} {_size_text(size)}" for size in _sizes(outcome.mask))
    rule = outcome.proposal.provenance.rule
    said = f'; rule "{rule}"' if rule else ""
    return f"{head}: {sizes}{said}; {outcome.seconds:.1f} s; {args.output}"


def _size_text(size: dict[str, Any]) -> str:
    return f"{size['volume_ml']:.2f} ml" if "volume_ml" in size else f"{size['area_px']} px"


def _sizes(mask: Mask) -> list[dict[str, Any]]:
    sizes: list[dict[str, Any]] = []
    for label in mask.labels:
        size: dict[str, Any] = {"value": label.value, "name": label.name}
        if mask.dimension == 2:
            size["area_px"] = int((mask.array == label.value).sum())
        else:
            size["volume_ml"] = mask.volume_ml(label.value)
        sizes.append(size)
    return sizes


def _as_plain(
    args: argparse.Namespace, outcome: Outcome, written: dict[str, Any]
) -> dict[str, Any]:
    verdict = outcome.proposal.verdict
    return {
        "verdict": {
            "state": verdict.state.name, "score": verdict.score, "reason": verdict.reason
        },
        "labels": _sizes(outcome.mask),
        "candidates": plain_candidates(outcome.proposal.alternatives),
        "seconds": outcome.seconds,
        "device": outcome.device,
        "threshold": args.threshold,
        "written": written,
        "provenance": outcome.proposal.provenance.to_dict(),
        "exit_code": exit_codes.OK if outcome.found else exit_codes.NOT_FOUND,
    }  # fmt: skip
