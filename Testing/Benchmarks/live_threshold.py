"""How long one step of the threshold slider takes on a volume of 512 x 512 x 100.

    python -m Testing.Benchmarks.live_threshold [--repeat 20] [--json FILE]

A step is what the panel does while the slider is dragged: the outline at another threshold, written
into the preview's segment in the scene, the views told, and the volume in millilitres counted. An
ellipsoid of a fifth of the volume, alone, against a segment that was there before, with two labels,
and the worst case: a probability that is above 0 in every voxel. The probability comes from a grid
of half the size, as methods give it. Beside the step: making the result ready once. The first call,
and the median of the others: wall time and time of this process, which differ on a busy machine.
Aim: under 100 ms a step. Needs slicer-core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from Testing.Benchmarks.bridge_speed import measure

AIM_MS = 100.0
SHAPE = (100, 512, 512)


def bump(shape: tuple[int, int, int], center: float = 0.5) -> np.ndarray:
    """(k, j, i), falls from 1 to 0; above 1/2 in about a fifth of the volume."""
    axes = [np.linspace(-center, 1 - center, count, dtype=np.float32) for count in shape]
    k, j, i = np.meshgrid(*axes, indexing="ij", sparse=True)
    radius = np.sqrt(k**2 + j**2 + i**2)
    return np.clip(1.23 - radius / 0.5, 0.0, 1.0).astype(np.float16)


def proposal(volume: Any, probability: np.ndarray) -> Any:
    """Of the volume, from a probability (labels, k, j, i) on a coarser grid."""
    from DiffusionSegBridge.volumes import worldGeometry
    from DiffusionSegLib.nouns.image import Image
    from DiffusionSegLib.nouns.label import label_for
    from DiffusionSegLib.nouns.proposal import Proposal
    from DiffusionSegLib.nouns.provenance import Provenance
    from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

    geometry = worldGeometry(volume)
    shape = probability.shape[1], probability.shape[2], probability.shape[3]
    labels = tuple(label_for(number) for number in range(1, len(probability) + 1))
    found = PresenceVerdict(Verdict.FOUND, 1.0, "")
    image = Image(probability, geometry.with_shape(shape))
    return Proposal(image, labels, found, Provenance("m", "m"), geometry=geometry)


def steps(scene: Any, shape: tuple[int, int, int], repeat: int) -> list[dict[str, Any]]:
    """A row for each kind of result."""
    from DiffusionSegBridge.shown_result import ShownResult
    from DiffusionSegBridge.volumes import volumeFromImage, worldGeometry
    from DiffusionSegLib.nouns.geometry import Geometry
    from DiffusionSegLib.nouns.image import Image
    from DiffusionSegLib.nouns.mask import Mask

    geometry = Geometry(shape, (0.7, 0.7, 2.0))
    volume = volumeFromImage(Image(np.zeros((1, *shape), np.int16), geometry), "CT", scene)
    coarse = (max(2, shape[0] // 2), shape[1] // 2, shape[2] // 2)
    one = bump(coarse)[np.newaxis]
    two = np.stack([bump(coarse, 0.45), bump(coarse, 0.6)]) / 2
    everywhere = np.random.default_rng(0).uniform(0.01, 1.0, (1, *coarse)).astype(np.float16)
    old = np.asarray(bump(shape, 0.55) > 0.5)
    before = Mask(old.astype(np.uint8), worldGeometry(volume))
    rows = []
    for name, array, earlier in (
        ("ellipsoid", one, None),
        ("ellipsoid, changes of a segment", one, before),
        ("two labels", two, None),
        ("above 0 everywhere", everywhere, None),
        ("above 0 everywhere, changes", everywhere, before),
    ):
        found = proposal(volume, array)
        result = ShownResult(found, volume)
        rows.append(measure(f"step: {name}", dragger(volume, scene, result, earlier), repeat))
        if earlier is None:
            ready = measure(f"ready: {name}", lambda: ShownResult(found, volume), 3)  # noqa: B023
            rows.append(ready)
    return rows


def dragger(volume: Any, scene: Any, result: Any, before: Any) -> Callable[[], None]:
    """One step of the slider; each call goes to another threshold."""
    from DiffusionSegBridge.preview import PreviewSegmentation

    preview = PreviewSegmentation(volume, scene)
    thresholds = itertools.cycle([0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7])

    def step() -> None:
        threshold = next(thresholds)
        preview.show(result, threshold, before)
        for label in result.labels:
            result.count(threshold, label.value)

    return step


def run(repeat: int, shrink: int = 1) -> list[dict[str, Any]]:
    """All rows; shrink: divides every axis, for a quick try."""
    import slicer

    scene = slicer.vtkMRMLScene()
    slicer.vtkSlicerSegmentationsModuleLogic().SetMRMLScene(scene)
    slicer.mrmlScene = scene
    shape = (SHAPE[0] // shrink, SHAPE[1] // shrink, SHAPE[2] // shrink)
    return steps(scene, shape, repeat)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--shrink", type=int, default=1, help="divide every axis, for a quick try")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    args = parser.parse_args(arguments)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "DiffusionSeg"))
    rows = run(args.repeat, args.shrink)
    print(f"{'':42} {'wall ms':>8} {'cpu ms':>8} {'first ms':>8}")
    for row in rows:
        numbers = " ".join(f"{row[key]:8.1f}" for key in ("wall_ms", "cpu_ms", "first_ms"))
        print(f"{row['what']:42} {numbers}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    slow = [row["what"] for row in rows if row["what"][:4] == "step" and row["wall_ms"] > AIM_MS]
    print(f"Over {AIM_MS:.0f} ms: {', '.join(slow)}" if slow else f"All under {AIM_MS:.0f} ms.")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
