"""How often is the object seen where it is not, and missed where it is?

    python -m Testing.Benchmarks.presence --data ROOT

Images without the object, none of which the model was trained on: other body parts, pictures of
something else, and parts of test images that hold no object (see absent.py for each row).
`alarm` is the share that is not NOT_FOUND; on images with the object `miss` is the share that is.
Data sets that are not under ROOT are left out.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.session import Session
from Testing.Benchmarks.absent import absent_images
from Testing.Benchmarks.common import chosen_models, conditions, execute, new_parser, tell
from Testing.Benchmarks.datasets import find_test_cases, read_real_case
from Testing.Benchmarks.tables import Row, Spread, Table


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = new_parser(__doc__)
    parser.add_argument(
        "--per-image", type=int, default=2, metavar="N", help="random parts of an image (default 2)"
    )
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Every chosen model on images with and without its object."""
    rows: list[Row] = []
    for entry in chosen_models(args):
        session = Session("cdal", entry.name, args.device, args.seed)
        cases = find_test_cases(entry, args.data, args.limit)
        tell(f"{entry.name}: {len(cases)} images with the object")
        present = (read_real_case(entry, case).image for case in cases)
        rows.append(_row(session, entry, "test part", present, True))
        for name, images in absent_images(entry, args.data, args.per_image, args.seed, args.limit):
            tell(f"{entry.name}: {name}")
            rows.append(_row(session, entry, name, images, False))
    Table("Presence verdict", conditions(args), rows).publish(args.json)
    return 0


def _row(
    session: Session, entry: ModelEntry, name: str, images: Iterable[Image], has_object: bool
) -> Row:
    states: Counter[Verdict] = Counter()
    scores = []
    for image in images:
        session.set_image(image)
        verdict = session.propose().verdict
        states[verdict.state] += 1
        scores.append(verdict.score)
    total = sum(states.values())
    row: dict[str, Any] = {"model": entry.name, "images": name}
    row |= {"object": "yes" if has_object else "no", "count": total}
    row |= {state.name: states[state] for state in Verdict}
    missed = states[Verdict.NOT_FOUND] / total if total else None
    row["miss"] = missed if has_object else None
    row["alarm"] = None if has_object or missed is None else 1 - missed
    row["score"] = Spread.of(scores)
    return row


if __name__ == "__main__":
    raise SystemExit(main())
