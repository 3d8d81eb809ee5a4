"""Pictures of what DiffuGTS sees, on bundled samples: image, anomaly map, pseudo-healthy image,
difference, outline.

    python -m Testing.Benchmarks.pseudo_healthy_pictures -o Resources/Documentation

writes pseudo-healthy-NAME.png of each case in CASES and prints verdict, score and Dice. Of each
volume the slice with the largest object is shown, whole. The sarcoma samples are of the test part;
the hippocampus is healthy.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image as Pillow

from DiffusionSegLib.demo.samples import load_samples, samples_folder
from DiffusionSegLib.evaluation import picture
from DiffusionSegLib.evaluation.explaining import explaining_pictures
from DiffusionSegLib.evaluation.metrics import dice
from DiffusionSegLib.evaluation.sheet import base_picture, orientation
from DiffusionSegLib.evaluation.slices import best_slice
from DiffusionSegLib.evaluation.truth import read_truth
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.session import Session
from Testing.Benchmarks.common import execute
from Testing.Benchmarks.unseen.asking import open_bundled
from Testing.Benchmarks.unseen.stroke import as_scribble, middle_stroke
from Testing.Benchmarks.zero_shot.cases import ZeroShotCase
from Testing.Benchmarks.zero_shot.slices import largest_slice

_SIDE = 300
_TITLE_HEIGHT = 30
_GROUND = (18, 18, 20)


@dataclass(frozen=True)
class Shown:
    """name: of the file; sample, channel: of the bundled samples; text: what is asked; stroke:
    whether a line through the middle is drawn; healthy: whether there is nothing to be found."""

    name: str
    sample: str
    channel: int
    text: str
    stroke: bool = False
    healthy: bool = False


CASES = (
    Shown("words-mr", "STS_021", 1, "soft tissue sarcoma"),
    Shown("words-mr-2", "STS_049", 1, "soft tissue sarcoma"),
    Shown("words-ct", "STS_021", 0, "soft tissue sarcoma"),
    Shown("stroke-ct", "STS_021", 0, "soft tissue sarcoma", stroke=True),
    Shown("false-alarm", "hippocampus_067", 0, "brain tumor", healthy=True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--cases", nargs="+", choices=[one.name for one in CASES], metavar="NAME")
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda, cuda:N, xpu or mps")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Every case in turn."""
    session = open_bundled(args.device, args.seed)
    for shown in CASES:
        if args.cases and shown.name not in args.cases:
            continue
        case = _largest_slice(shown)
        proposal = _asked(session, shown, case)
        path = args.output / f"pseudo-healthy-{shown.name}.png"
        _row(shown, case, proposal).save(path, optimize=True)
        print(f"{path}: {_words(shown, case, proposal)}", flush=True)
    return 0


def _largest_slice(shown: Shown) -> ZeroShotCase:
    known = {sample.id: sample for sample in load_samples(samples_folder())}
    sample = known[shown.sample]
    image = Image.read(sample.images[shown.channel])
    truth = read_truth(sample.label, image).mask.array > 0
    flat, inside = largest_slice(image, truth)
    name = sample.modality[shown.channel].lower()
    return ZeroShotCase(shown.sample, replace(flat, channel_names=(name,)), inside, shown.sample)


def _asked(session: Session, shown: Shown, case: ZeroShotCase) -> Proposal:
    session.set_image(case.image)
    if not shown.stroke:
        return session.propose(Prompt(text=shown.text))
    stroke = as_scribble(middle_stroke(case.truth), case.image.geometry)
    return session.propose(Prompt(text=shown.text, scribbles=stroke))


def _words(shown: Shown, case: ZeroShotCase, proposal: Proposal) -> str:
    verdict = proposal.verdict
    told = f"{verdict.state.name} ({verdict.score:.2f}) {verdict.reason}"
    if shown.healthy:
        return f"{told} Healthy."
    return f"{told} Dice {dice(proposal.mask().array != 0, case.truth):.3f}"


def _row(shown: Shown, case: ZeroShotCase, proposal: Proposal) -> Pillow.Image:
    """Pictures beside each other, each with its name above."""
    image, turned = case.image, orientation(case.image)
    place = best_slice(turned, turned.apply(case.truth), "picture")
    ground = base_picture(image, turned, place, _SIDE)
    if shown.stroke:
        first = picture.draw_outline(ground, middle_stroke(case.truth)[0], (90, 220, 90), 2.0)
    else:
        first = ground
    named = [("image with the stroke" if shown.stroke else "image", first)]
    for one in explaining_pictures(proposal, image, turned, place, _SIDE):
        unit = f" ({one.low:.0f} to {one.high:.0f})" if one.color_map == "difference" else ""
        named.append((f"{one.name}{unit}", one.picture))
    outlined = ground
    if not shown.healthy:
        outlined = picture.draw_outline(outlined, case.truth[0], picture.TRUTH_COLOR, 3.0)
    found = proposal.mask().array[0] != 0
    named.append(("outline", picture.draw_outline(outlined, found, picture.PREDICTION_COLOR, 1.8)))
    return picture.beside([_titled(title, drawn) for title, drawn in named], ground=_GROUND)


def _titled(title: str, drawn: Pillow.Image) -> Pillow.Image:
    framed = Pillow.new("RGB", (drawn.width, drawn.height + _TITLE_HEIGHT), _GROUND)
    framed.paste(drawn, (0, _TITLE_HEIGHT))
    picture.draw_text(framed, (3, _TITLE_HEIGHT // 2), title, anchor="lm", size=14)
    return framed


if __name__ == "__main__":
    raise SystemExit(main())
