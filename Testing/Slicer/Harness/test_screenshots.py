"""The pictures of the README are made anew, from the real panel and a real result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from Testing.Harness.requirements import missing

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "Resources" / "Screenshots"
NAMES = ["panel", "slicer", "slices"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """By name, as the command writes them."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("screenshots")
    command = [sys.executable, "-m", "Testing.Harness.screenshots", "-o", str(folder)]
    done = subprocess.run(
        [*command, "--sample", "hippocampus_033", "--samples", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {path.stem: np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))}


def colorful(picture: np.ndarray) -> np.ndarray:
    """Where a picture is neither gray nor nearly so."""
    return np.ptp(picture.astype(int), axis=-1) > 60


def test_panel_and_views_are_pictured(pictures: dict[str, np.ndarray]) -> None:
    assert sorted(pictures) == NAMES
    panel, slices, both = (pictures[name] for name in ("panel", "slices", "slicer"))
    assert 350 <= panel.shape[1] <= 700
    assert 500 <= panel.shape[0] <= 1600
    assert both.shape[1] > panel.shape[1] + slices.shape[1]


def test_the_panel_shows_controls_and_the_result(pictures: dict[str, np.ndarray]) -> None:
    """Text and frames change the brightness from pixel to pixel, over the whole height."""
    brightness = pictures["panel"].mean(axis=-1)
    edges = np.abs(np.diff(brightness, axis=1)) > 40
    for part in np.array_split(edges, 4):
        assert part.sum() > 300


def test_the_views_show_the_image_and_the_outline(pictures: dict[str, np.ndarray]) -> None:
    slices = pictures["slices"]
    assert slices.std() > 20
    assert len(np.unique(slices[..., 0])) > 100
    top, bottom = slices[10 : len(slices) * 2 // 3 - 10], slices[len(slices) * 2 // 3 + 15 :]
    half = slices.shape[1] // 2
    for view in (top, bottom[:, :half], bottom[:, half:]):
        share = colorful(view).mean()
        assert 0.002 < share < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_pictures_are_such_pictures(name: str) -> None:
    with Image.open(COMMITTED / f"{name}.png") as picture:
        array = np.asarray(picture.convert("RGB"))
    assert array.shape[0] > 500
    assert array.std() > 20
    assert (COMMITTED / f"{name}.png").stat().st_size < 600_000


def test_the_slice_picture_puts_segments_where_they_are(scene: Any) -> None:
    """Both under transforms; painted pixels hold the segment's voxels and no others."""
    import slicer
    import vtk

    from Testing.Harness.slice_picture import BAR, slice_picture

    values = np.zeros((8, 10, 12), np.int16)
    values[3:6, 2:5, 6:11] = 1000
    volume = slicer.util.addVolumeFromArray(values, name="V")
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 40.0)
    transform.SetMatrixTransformToParent(matrix)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetAndObserveTransformNodeID(transform.GetID())
    segment_id = segmentation.GetSegmentation().AddEmptySegment("s", "s", (1.0, 0.0, 0.0))
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        (values > 0).astype(np.uint8), segmentation, segment_id, volume
    )
    slicer.util.setSliceViewerLayers(background=volume)
    volume.GetDisplayNode().SetInterpolate(False)
    center = (8 + 40.0, 3, 4)  # of a voxel
    for name in ("Red", "Green", "Yellow"):
        picture = slice_picture(name, 240, 200, center)[BAR:].astype(int)
        painted = picture[..., 0] > picture[..., 1] + 40
        bright = picture[..., 0] > 128
        assert painted.sum() > 200
        assert (painted & bright).sum() / (painted | bright).sum() > 0.97
