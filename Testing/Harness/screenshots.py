"""Pictures of the panel and of the slice views, made with a real model on a bundled sample.

    python -m Testing.Harness.screenshots -o Resources/Screenshots

writes panel.png (the panel with a result), slices.png (the three views with the outline) and
slicer.png (both side by side).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import vtk
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "Resources" / "Samples"
PANEL_WIDTH, VIEW_SIZE, GAP = 430, 300, 4
LIMIT_S = 600.0


def take(folder: Path, sample: str, samples: int = 0) -> list[Path]:
    """Outline a bundled sample in the panel and write the pictures; `samples` 0 for the default.

    Raises:
        TimeoutError: no result after ten minutes.
    """
    from Testing.Harness.boot import boot, openModule

    boot()
    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    try:
        volume = _outline(module, _entry(sample), samples)
        panel = panel_picture(module, folder)
        slices = _slices_picture(volume, len(panel))
    finally:
        module.close()
    gap = np.zeros((len(panel), GAP, 3), np.uint8)
    pictures = {
        "panel": panel,
        "slices": slices,
        "slicer": np.concatenate([panel, gap, slices], axis=1),
    }
    paths = [folder / f"{name}.png" for name in pictures]
    for path, picture in zip(paths, pictures.values(), strict=True):
        Image.fromarray(picture).save(path, optimize=True)
    return paths


def _entry(sample: str) -> dict[str, Any]:
    entries = json.loads((SAMPLES / "samples.json").read_text("utf-8"))
    return next(entry for entry in entries if entry["id"] == sample)


def _outline(module: Any, entry: dict[str, Any], samples: int) -> Any:
    """Press Segment as a user does and wait for the result. Returns the volume."""
    import slicer

    page, ui = module.widget.page, module.widget.ui
    volumes = [slicer.util.loadVolume(str(SAMPLES / name)) for name in entry["images"]]
    method, _, model = entry["model"].partition("/")
    page.parameters.method, page.parameters.model = method, model
    page.parameters.inputVolume, page.parameters.samples = volumes[0], samples
    if len(volumes) > 1:
        page.parameters.secondVolume = volumes[1]
    slicer.util.setSliceViewerLayers(background=volumes[-1])
    found: list[Any] = []
    page.outliner.finished.connect(found.append)
    wait_for(lambda: page.link.hello is not None and ui.segmentButton.enabled)
    ui.segmentButton.click()
    wait_for(lambda: found)
    return volumes[0]


def wait_for(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Let the application work until this is true."""
    import slicer

    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {limit_s:g} s")
        slicer.app.processEvents()
        time.sleep(0.01)


def panel_picture(module: Any, folder: Path) -> np.ndarray:
    """The panel as wide as it stands in Slicer and as tall as its content."""
    import slicer

    frame = module.frame
    frame.resize(PANEL_WIDTH, 10)
    frame.show()
    for _ in range(20):  # the layout needs some rounds to find its height
        slicer.app.processEvents()
        frame.resize(PANEL_WIDTH, max(frame.sizeHint.height(), frame.heightForWidth(PANEL_WIDTH)))
    path = folder / "panel.png"
    folder.mkdir(parents=True, exist_ok=True)
    frame.grab().save(str(path))
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _slices_picture(volume: Any, height: int) -> np.ndarray:
    """The axial view above the coronal and the sagittal one, through the middle of the outline."""
    from Testing.Harness.slice_picture import slice_picture

    center = _outline_center(volume)
    below = height // 3
    half = (VIEW_SIZE * 2 - GAP) // 2
    gap = np.zeros((below, GAP, 3), np.uint8)
    top = slice_picture("Red", 2 * half + GAP, height - below - GAP, center)
    left = slice_picture("Green", half, below, center)
    right = slice_picture("Yellow", half, below, center)
    line = np.zeros((GAP, 2 * half + GAP, 3), np.uint8)
    return np.concatenate([top, line, np.concatenate([left, gap, right], axis=1)])


def _outline_center(volume: Any) -> list[float]:
    """World position of the voxel in the middle of the largest segment."""
    import slicer

    masks = [
        slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, volume) > 0
        for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        for segment_id in segmentation.GetSegmentation().GetSegmentIDs()
    ]
    largest = max(masks, key=np.count_nonzero)
    kji = np.rint(np.argwhere(largest).mean(axis=0))
    to_ras = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(to_ras)
    local = np.array(slicer.util.arrayFromVTKMatrix(to_ras)) @ [*kji[::-1], 1.0]
    world = [0.0, 0.0, 0.0]
    volume.TransformPointToWorld([float(value) for value in local[:3]], world)
    return world


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--sample", default="STS_021", help="which bundled sample")
    parser.add_argument("--samples", type=int, default=0, help="how many, 0 for the default")
    arguments = parser.parse_args()
    for path in take(arguments.output, arguments.sample, arguments.samples):
        print(path)


if __name__ == "__main__":
    main()
