"""Pictures of the panel and the slice views in the three walks of tutorial.md.

    python -m Testing.Harness.tutorial_screenshots -o Resources/Documentation

writes tutorial-slicer-WALK.png: what the panel and the views show after the walk's last Segment.
What a user clicks is clicked, and computed with the bundled models.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from Testing.Harness.screenshots import SAMPLES, panel_picture, wait_for
from Testing.Harness.slice_picture import Picture, mark_points, slice_picture

ROOT = Path(__file__).resolve().parents[2]
VIEW_SIZE, GAP = 420, 4
MOST_BYTES = 150_000


@dataclass(frozen=True)
class Walk:
    """image: below the samples; voxel (i, j, k): that the views show; clicks (i, j, k): in turn,
    each followed by Segment; text: what is written; overlay: which one is chosen at the end; views:
    which are shown."""

    name: str
    image: str
    method: str
    voxel: tuple[int, int, int]
    clicks: tuple[tuple[int, int, int], ...] = ()
    text: str = ""
    overlay: str = ""
    views: tuple[str, ...] = ("Red",)


WALKS = (
    Walk(
        "cdal",
        "msd_hippocampus/images/hippocampus_033.nii.gz",
        "cdal",
        (16, 24, 18),
        views=("Red", "Green", "Yellow"),
    ),
    Walk(
        "adzus",
        "sts_ct_mr/images/STS_049_mr.nii.gz",
        "adzus",
        (37, 33, 24),
        clicks=((26, 37, 24), (58, 25, 24)),
    ),
    Walk(
        "diffugts",
        "sts_ct_mr/images/STS_021_mr.nii.gz",
        "diffugts",
        (42, 43, 38),
        text="soft tissue sarcoma",
        overlay="difference",
    ),
)


def take(folder: Path, names: tuple[str, ...] = ()) -> list[Path]:
    """Walk these (none: all) and write a picture of each. Raises TimeoutError."""
    return [_take(walk, folder) for walk in WALKS if not names or walk.name in names]


def _take(walk: Walk, folder: Path) -> Path:
    from Testing.Harness.boot import boot, openModule

    boot()
    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    path = folder / f"tutorial-slicer-{walk.name}.png"
    try:
        volume = _walk(module, walk)
        with tempfile.TemporaryDirectory() as room:
            panel = panel_picture(module, Path(room))
        views = _views_picture(module, walk, volume, len(panel))
    finally:
        module.close()
    gap = np.zeros((len(panel), GAP, 3), np.uint8)
    _save(np.concatenate([panel, gap, views], axis=1), path)
    return path


def _walk(module: Any, walk: Walk) -> Any:
    """Everything that the tutorial says, up to the last answer. Returns the volume."""
    import slicer

    page, ui = module.widget.page, module.widget.ui
    volume = slicer.util.loadVolume(str(SAMPLES / walk.image))
    slicer.util.setSliceViewerLayers(background=volume)
    for view in walk.views:
        node = slicer.app.layoutManager().sliceWidget(view).mrmlSliceNode()
        node.JumpSliceByOffsetting(*_world(volume, walk.voxel))
    page.parameters.inputVolume, page.parameters.method = volume, walk.method
    wait_for(lambda: page.choice().method and page.choice().method.name == walk.method)
    if len(walk.views) == 1:
        ui.sliceRadio.click()
    ui.textEdit.text = walk.text
    results: list[Any] = []
    page.outliner.finished.connect(results.append)
    page.run.blinkS = 0.0  # nobody presses faster
    for click in walk.clicks or ((),):
        if click:
            ui.includeButton.click()
            page.parameters.includePoints.AddControlPoint(*_world(volume, click))
        _segment(ui, results)
    if walk.overlay:
        _overlay(page.result.ui, walk.overlay)
    return volume


def _segment(ui: Any, results: list[Any]) -> None:
    count = len(results)
    wait_for(lambda: ui.segmentButton.enabled)
    ui.segmentButton.click()
    wait_for(lambda: len(results) > count)


def _overlay(ui: Any, name: str) -> None:
    """Choose the overlay of that name and show it beside the image."""
    combo = ui.overlayCombo
    titles = [combo.itemText(index) for index in range(combo.count)]
    combo.setCurrentIndex(next(n for n, one in enumerate(titles) if name in one.lower()))
    ui.sideBySideBox.click()


def _world(volume: Any, voxel: tuple[int, ...]) -> list[float]:
    from DiffusionSegBridge.volumes import worldGeometry

    x, y, z = worldGeometry(volume).kji_to_ras([voxel[::-1]])[0]
    return [float(x), float(y), float(z)]


def _views_picture(module: Any, walk: Walk, volume: Any, height: int) -> Picture:
    """The views that the walk shows; beside the image what Side by side shows, below it here."""
    center = _world(volume, walk.voxel)
    points = module.widget.page.parameters.includePoints
    if len(walk.views) == 3:
        below, half = height // 3, (VIEW_SIZE - GAP) // 2
        top = slice_picture(walk.views[0], 2 * half + GAP, height - below - GAP, center)
        left, right = (slice_picture(name, half, below, center) for name in walk.views[1:])
        gap = np.zeros((below, GAP, 3), np.uint8)
        line = np.zeros((GAP, 2 * half + GAP, 3), np.uint8)
        return np.concatenate([top, line, np.concatenate([left, gap, right], axis=1)])
    names = ("Red", "Yellow") if walk.overlay else walk.views
    each = (height - GAP * (len(names) - 1)) // len(names)
    shown: list[Picture] = []
    for name in names:
        one = slice_picture(name, VIEW_SIZE, each, center)
        if points is not None:
            mark_points(one, name, points)
        shown += [one, np.zeros((GAP, VIEW_SIZE, 3), np.uint8)]
    whole = np.concatenate(shown[:-1])
    return np.pad(whole, ((0, height - len(whole)), (0, 0), (0, 0)))


def _save(picture: Picture, path: Path) -> None:
    """As a PNG in few colors, which a panel of gray and blue has anyway."""
    whole = Image.fromarray(picture)
    whole.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        few = whole.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--walks", nargs="+", choices=[walk.name for walk in WALKS], default=[])
    arguments = parser.parse_args()
    for path in take(arguments.output, tuple(arguments.walks)):
        print(path)


if __name__ == "__main__":
    main()
