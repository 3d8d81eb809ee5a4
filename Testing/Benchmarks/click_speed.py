"""What a click costs, and what is made ready before it.

    python -m Testing.Benchmarks.click_speed
    python -m Testing.Benchmarks.click_speed --counts 1 2 --clicks 20 --backbone FOLDER

The bundled sample images, scaled to 512 x 512 pixels, so that the bundled backbone's finest maps
have 64 x 64 places. Shown per number of threads: set_image, how much of it is the pass of the
network (encoding, and capturing all self-attention maps) and how much the preparation of the slice
(walk, canvas, upsampling weights), which must be less; then the first clicks of objects and the
further ones, each click and its outline by itself. A click's target is 150 ms.

"public way" is what M2N2's released code does at every click to enlarge the click's map to 512 x
512: joint bilateral upsampling over every pixel within three places, with weights made anew. It is
shown beside "ours", the same map enlarged by weights that were made once.

Times are wall seconds, and behind them user and system seconds of this process, which a busy
machine changes less. --backbone: a folder of a compact model instead of the bundled one.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from DiffusionSegLib.backbones.compact.model import METHOD, CompactDiffusion, open_compact
from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.clicks import Click, first_click, next_click
from DiffusionSegLib.methods.adzus.bilateral import JointBilateral
from DiffusionSegLib.methods.adzus.click_rule import outline_hints
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.markov import markov_map, start_at
from DiffusionSegLib.methods.adzus.plane import Plane, make_plane, resized
from DiffusionSegLib.methods.adzus.plane_attention import network_picture
from DiffusionSegLib.methods.adzus.reading import EVIDENCE, PlaneReader
from DiffusionSegLib.methods.adzus.slice_picture import choose_window
from DiffusionSegLib.progress import Progress
from Testing.Benchmarks.common import conditions, execute, tell
from Testing.Benchmarks.tables import Row, Table
from Testing.Benchmarks.zero_shot.cases import SAMPLE_SETS, load_cases

SIDE = 512
MOST_SECONDS = 0.15
_TIMESTEP = 100
_MOST_CLICKS = 10  # of one object
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Cost:
    """Seconds: by the clock on the wall, and of this process's own and of the system's work."""

    wall: float
    cpu: float

    @classmethod
    def of(cls, work: Callable[[], object]) -> Cost:
        """What calling it takes."""
        before, begun = _used(), time.perf_counter()
        work()
        return cls(time.perf_counter() - begun, _used() - before)


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backbone", type=Path, metavar="FOLDER", help="of a compact model")
    parser.add_argument("--counts", type=int, nargs="+", default=[2, 1], metavar="THREADS",
                        help="numbers of threads to measure with (default 2 1)")  # fmt: skip
    parser.add_argument("--clicks", type=int, default=20, help="of each kind (default 20)")
    parser.add_argument("--images", type=int, default=5, help="to measure set_image (default 5)")
    parser.add_argument("--evidence", choices=EVIDENCE, default=EVIDENCE[0])
    parser.add_argument("--size", type=int, default=SIDE, help=f"pixels a side (default {SIDE})")
    parser.add_argument("--device", choices=["cpu"], default="cpu", help="clicks use no other")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    parser.set_defaults(threads=None, seed=0)
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a median click or the preparation is over its target."""
    model = _open(args.backbone)
    pictures = list(_pictures(args.size, args.clicks))
    measured = {threads: _Costs() for threads in args.counts}
    for number, (rgb, truth) in enumerate(pictures):
        tell(f"picture {number + 1} of {len(pictures)}")
        torch.set_num_threads(max(args.counts))
        plane = make_plane(rgb, model, _TIMESTEP, Progress.silent())
        for threads, costs in measured.items():
            torch.set_num_threads(threads)
            if number < args.images:
                costs.make_ready(model, rgb)
            costs.click(plane, truth, args)
            if number == 0:
                costs.enlarge(plane, rgb, truth)
    rows = [row for threads, costs in measured.items() for row in costs.rows(threads)]
    told = conditions(args, backbone=model.name, evidence=args.evidence)
    told |= {"split": "bundled samples", "threads": " and ".join(map(str, args.counts))}
    told |= {"pixels": f"{args.size} x {args.size}", "click target s": MOST_SECONDS}
    Table("What a click costs: wall seconds (user and system)", told, rows).publish(args.json)
    return 0 if all(row["reached"] != "no" for row in rows) else 1


def _open(folder: Path | None) -> CompactDiffusion:
    if folder is None:
        return open_compact(ModelStore().find(METHOD))
    return open_compact(read_manifest(folder / "model.json"))


def _pictures(size: int, count: int) -> Iterator[tuple[Floats, Bools]]:
    """(size, size, 3) and (size, size): ``count`` sample pictures and their objects, over again
    and from other sides when the samples are fewer."""
    cases = [case for name in SAMPLE_SETS for case in load_cases(name, None, "all")]
    if not cases:
        raise InputError("The bundled samples are missing; install the program again.")
    for number in range(count):
        case = cases[number % len(cases)]
        rgb = choose_window(case.image).picture(case.image.array[:, 0])
        turns = number // len(cases)
        truth = resized(case.truth[0].astype(np.float32)[..., None], (size, size))[..., 0] >= 0.5
        rgb = np.ascontiguousarray(np.rot90(resized(rgb, (size, size)), turns))
        if truth.any():
            yield rgb, np.ascontiguousarray(np.rot90(truth, turns))


@dataclass(frozen=True)
class _Costs:
    """With one number of threads."""

    whole: list[Cost] = field(default_factory=list)
    passes: list[Cost] = field(default_factory=list)
    first: list[Cost] = field(default_factory=list)
    further: list[Cost] = field(default_factory=list)
    ours: list[Cost] = field(default_factory=list)
    public: list[Cost] = field(default_factory=list)

    def make_ready(self, model: CompactDiffusion, rgb: Floats) -> None:
        """set_image, and its pass of the network by itself."""
        whole = Cost.of(lambda: make_plane(rgb, model, _TIMESTEP, Progress.silent()))
        self.whole.append(whole)
        self.passes.append(Cost.of(lambda: _pass(model, rgb)))

    def click(self, plane: Plane, truth: Bools, args: argparse.Namespace) -> None:
        """One first click and up to three further ones, while any are wanted."""
        costs = _clicks(plane, truth, args.evidence, 4)
        self.first.append(costs[0])
        self.further.extend(costs[1 : 1 + max(0, args.clicks - len(self.further))])

    def enlarge(self, plane: Plane, rgb: Floats, truth: Bools) -> None:
        """A click's map, both ways."""
        self.ours.append(Cost.of(_enlarging(plane, rgb, truth, False)))
        self.public.append(Cost.of(_enlarging(plane, rgb, truth, True)))

    def rows(self, threads: int) -> list[Row]:
        """What was found."""
        pairs = zip(self.whole, self.passes, strict=True)
        ready = [Cost(w.wall - p.wall, w.cpu - p.cpu) for w, p in pairs]
        below = _median(ready, "cpu") < _median(self.passes, "cpu")
        ratio = _median(self.public, "cpu") / max(1e-4, _median(self.ours, "cpu"))
        click = _median(self.first, "cpu")
        share = _median(self.public, "cpu") / click
        return [
            _row(threads, "set_image", self.whole),
            _row(threads, "of it the network", self.passes),
            _row(threads, "of it the preparation", ready, below),
            _row(threads, "first click", self.first, _fine(self.first)),
            _row(threads, "further click", self.further, _fine(self.further)),
            _row(threads, "upsampling, ours", self.ours),
            _row(
                threads,
                f"upsampling, public way ({ratio:.0f} x ours, {share:.0f} x a whole first click)",
                self.public,
            ),
        ]


def _fine(costs: Sequence[Cost]) -> bool:
    return _median(costs, "wall") < MOST_SECONDS


def _row(threads: int, what: str, costs: Sequence[Cost], reached: bool | None = None) -> Row:
    return {
        "threads": threads,
        "what": what,
        "count": len(costs),
        "median s": f"{_median(costs, 'wall'):.3f} ({_median(costs, 'cpu'):.3f})",
        "slowest s": f"{max(one.wall for one in costs):.3f} ({max(one.cpu for one in costs):.3f})",
        "reached": "" if reached is None else "yes" if reached else "no",
    }


def _median(costs: Sequence[Cost], kind: str) -> float:
    return statistics.median(getattr(one, kind) for one in costs)


def _pass(model: CompactDiffusion, rgb: Floats) -> None:
    picture = network_picture(model, torch.from_numpy(rgb))
    run_attention_pass(model, picture, AttentionRequest(timestep=_TIMESTEP))


def _clicks(plane: Plane, truth: Bools, evidence: str, most: int) -> list[Cost]:
    """Of the simulated user's clicks on one object; outlines are brought to the slice's pixels."""
    reader = PlaneReader(plane, evidence)
    clicks: list[Click] = []
    costs: list[Cost] = []
    click = first_click(truth[None], (1.0, 1.0, 1.0))
    while click is not None and len(costs) < most and len(clicks) < _MOST_CLICKS:
        clicks.append(click)
        answers: list[Bools] = []
        costs.append(Cost.of(
            lambda answers=answers: answers.append(_answer(reader, clicks))
        ))  # fmt: skip
        click = next_click(truth[None], answers[0][None], (1.0, 1.0, 1.0))
    return costs


def _answer(reader: PlaneReader, clicks: Sequence[Click]) -> Bools:
    found = outline_hints(reader, [_hint(reader.plane, click) for click in clicks])
    return reader.plane.on_slice(found.probability) >= 0.5


def _hint(plane: Plane, click: Click) -> Hint:
    row, column = plane.on_canvas(np.array([click.position_kji[1:]], dtype=np.float64))[0]
    return disc_hint(float(row), float(column), plane.canvas.size, click.include)


def _enlarging(plane: Plane, rgb: Floats, truth: Bools, public: bool) -> Callable[[], Floats]:
    """Both to the pixels of the picture, which is what the released code does."""
    click = first_click(truth[None], (1.0, 1.0, 1.0))
    assert click is not None
    place = (click.position_kji[1] + 0.5) / len(rgb), (click.position_kji[2] + 0.5) / len(rgb)
    grid = plane.attention.grid
    values = markov_map(plane.attention.walk, start_at([place], grid)).numpy()
    if public:
        return lambda: upsample_anew(values.reshape(grid), rgb)
    enlarge = JointBilateral(rgb, grid)
    return lambda: enlarge(values)


def upsample_anew(values: Floats, guide: Floats, space: float = 1.0, color: float = 0.1) -> Floats:
    """(rows, columns) of the guide, of values of a grid, as M2N2's released code does it.

    The map is enlarged bilinearly, and then every pixel within 3 sigma of a pixel is weighed by
    nearness and by likeness of color. space in places, color in units of the guide.
    """
    size = guide.shape[:2]
    high = F.interpolate(torch.from_numpy(values)[None, None], size, mode="bilinear")[0, 0]
    picture = torch.from_numpy(guide).permute(2, 0, 1)
    step = [size[axis] / values.shape[axis] * space for axis in (0, 1)]
    total, weights = torch.zeros(size), torch.zeros(size)
    reach = [int(3 * one + 1) for one in step]
    for down in range(-reach[0], reach[0] + 1):
        for right in range(-reach[1], reach[1] + 1):
            far = (down / step[0]) ** 2 + (right / step[1]) ** 2
            if far > 9:
                continue
            here, there = _shifted(size, down, right), _shifted(size, -down, -right)
            unlike = ((picture[(slice(None), *here)] - picture[(slice(None), *there)]) / color) ** 2
            weight = torch.prod(torch.exp(-unlike / 2), dim=0) * float(np.exp(-far / 2))
            weights[here] += weight
            total[here] += weight * high[there]
    return np.asarray((total / weights).numpy())


def _shifted(size: tuple[int, ...], down: int, right: int) -> tuple[slice, slice]:
    """Of all pixels those whose neighbor at that offset is in the picture."""
    return (
        slice(max(0, -down), size[0] - max(0, down)),
        slice(max(0, -right), size[1] - max(0, right)),
    )


if __name__ == "__main__":
    raise SystemExit(main())
