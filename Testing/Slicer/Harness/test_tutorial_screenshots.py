"""The tutorial's pictures of the panel are made anew, from the real panel and real clicks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from Testing.Harness.requirements import missing

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "Resources" / "Documentation"
WALKS = ("cdal", "adzus", "diffugts")
DOT = (90, 220, 90)


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB")).astype(int)


def dots(pixels: np.ndarray) -> list[tuple[float, ...]]:
    """Where clicks are drawn: middles of the green spots in the right half."""
    green = np.abs(pixels - DOT).max(axis=-1) < 40
    green[:, :430] = False  # the panel's own icons
    spots, count = ndimage.label(green)
    sizes = ndimage.sum_labels(green, spots, range(1, count + 1))
    large = [number for number, size in enumerate(sizes, 1) if size > 20]
    return [tuple(one) for one in ndimage.center_of_mass(green, spots, large)]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shortest of the walks with clicks."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("walks")
    command = [sys.executable, "-m", "Testing.Harness.tutorial_screenshots", "-o", str(folder)]
    done = subprocess.run(
        [*command, "--walks", "adzus"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in folder.iterdir()] == ["tutorial-slicer-adzus.png"]
    return folder / "tutorial-slicer-adzus.png"


@pytest.mark.slow
def test_the_clicks_and_the_outline_are_where_the_committed_picture_has_them(taken: Path) -> None:
    pixels = picture(taken)
    assert len(dots(pixels)) == 2
    views = pixels[:, 434:]
    outline = (views[..., 0] > 200) & (views[..., 2] < 80)
    committed = picture(COMMITTED / taken.name)[:, 434:]
    assert 200 < outline.sum() < 20_000
    before = (committed[..., 0] > 200) & (committed[..., 2] < 80)
    assert outline.sum() == pytest.approx(before.sum(), rel=0.3)


@pytest.mark.parametrize("walk", WALKS)
def test_the_committed_pictures_show_panel_and_views(walk: str) -> None:
    path = COMMITTED / f"tutorial-slicer-{walk}.png"
    pixels = picture(path)
    assert pixels.shape[0] > 600 and pixels.shape[1] == 430 + 4 + 420
    assert pixels[:, :430].mean() > 150 > pixels[:, 434:].mean()  # a light panel, dark views
    assert path.stat().st_size < 150_000
    assert len(dots(pixels)) == (2 if walk == "adzus" else 0)
