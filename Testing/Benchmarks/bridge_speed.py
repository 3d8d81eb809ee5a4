"""How long the Slicer side takes to read a volume and to write a segment, beside a bare copy.

    python -m Testing.Benchmarks.bridge_speed [--repeat 9] [--json FILE]

`imageFromVolumes` on 512 x 512 x 300 int16; `imageKey`; `writeSegment` and `readSegments` on
512 x 512 x 100 with an ellipsoid of a fifth of the volume, new and in a layer with another segment,
and with every voxel set. Beside them numpy copying as many bytes in the same run. The first call,
which also gets its memory, and the median of the others: wall time and time of this process, which
differ on a busy machine. Needs slicer-core.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def measure(name: str, work: Callable[[], Any], repeat: int) -> dict[str, Any]:
    """Milliseconds: the first call, and medians of the others."""
    start = time.perf_counter()
    work()
    first = time.perf_counter() - start
    walls, cpus = [], []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "what": name,
        "wall_ms": 1000 * statistics.median(walls),
        "cpu_ms": 1000 * statistics.median(cpus),
        "first_ms": 1000 * first,
    }


def volumes(scene: Any, repeat: int, shrink: int) -> list[dict[str, Any]]:
    from DiffusionSegBridge.volumes import imageFromVolumes, imageKey, volumeFromImage
    from DiffusionSegLib.nouns.geometry import Geometry
    from DiffusionSegLib.nouns.image import Image

    shape = (300 // shrink, 512 // shrink, 512 // shrink)
    voxels = np.random.default_rng(0).integers(-1000, 3000, shape, np.int16)
    node = volumeFromImage(Image(voxels[np.newaxis], Geometry(shape)), "CT", scene)
    kept: list[Any] = [None]  # as a program does: the old image goes when the new one is there

    def read() -> None:
        kept[0] = imageFromVolumes([node])

    def copy() -> None:
        kept[0] = voxels.copy()

    return [
        measure("copy of 512 x 512 x 300 int16", copy, repeat),
        measure("imageFromVolumes", read, repeat),
        measure("imageKey", lambda: imageKey([node]), repeat),
    ]


def segments(scene: Any, repeat: int, shrink: int) -> list[dict[str, Any]]:
    from DiffusionSegBridge.segments import readSegments, writeSegment
    from DiffusionSegLib.nouns.geometry import Geometry

    shape = (100 // shrink, 512 // shrink, 512 // shrink)
    geometry = Geometry(shape, (0.7, 0.7, 2.5))
    k, j, i = (np.linspace(-1, 1, count) for count in shape)
    distance = (k[:, None, None] / 0.72) ** 2 + (j[:, None] / 0.7) ** 2 + (i / 0.75) ** 2
    mask = (distance < 1).view(np.uint8)
    full = np.ones(shape, np.uint8)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    for segment in "ab":
        node.GetSegmentation().AddEmptySegment(segment)
    node.GetSegmentation().SeparateSegmentLabelmap("a")
    rows = [
        measure("copy of 512 x 512 x 100 uint8", mask.copy, repeat),
        measure("writeSegment", lambda: writeSegment(mask, geometry, node, "a"), repeat),
        measure("readSegments", lambda: readSegments(node, {1: "a"}, geometry), repeat),
        measure(
            "writeSegment, all voxels", lambda: writeSegment(full, geometry, node, "a"), repeat
        ),
    ]
    small = np.zeros(shape, np.uint8)
    small[:2, :5, :5] = 1
    shared = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    for segment in "ab":
        shared.GetSegmentation().AddEmptySegment(segment)
    writeSegment(small, geometry, shared, "b")
    work = measure(
        "writeSegment, shared", lambda: writeSegment(mask, geometry, shared, "a"), repeat
    )
    return [*rows, work]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=9, help="calls besides the first (default 9)")
    parser.add_argument("--shrink", type=int, default=1, help="divide every size by this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "DiffusionSeg"))
    import slicer

    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    rows = volumes(scene, options.repeat, options.shrink)
    rows += segments(scene, options.repeat, options.shrink)
    for row in rows:
        print(
            f"{row['what']:32} wall {row['wall_ms']:8.2f} ms  processor {row['cpu_ms']:8.2f} ms  "
            f"first call {row['first_ms']:8.2f} ms"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
