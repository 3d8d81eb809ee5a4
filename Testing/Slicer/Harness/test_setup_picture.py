"""The picture of the page for setting up is made anew, and names nothing of this computer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Testing.Harness.requirements import missing

ROOT = Path(__file__).resolve().parents[3]


def test_setting_up_is_pictured(tmp_path: Path) -> None:
    if reason := missing():
        pytest.skip(reason)
    command = [sys.executable, "-m", "Testing.Harness.setup_picture", "-o", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    picture = np.asarray(Image.open(tmp_path / "setup.png").convert("L"), float)
    assert 350 <= picture.shape[1] <= 700
    edges = np.abs(np.diff(picture, axis=1)) > 40
    for part in np.array_split(edges, 4):
        assert part.sum() > 300
    committed = ROOT / "Resources" / "Screenshots" / "setup.png"
    assert committed.stat().st_size < 150_000
    assert abs(Image.open(committed).width - picture.shape[1]) < 20


def test_paths_are_a_users(tmp_path: Path) -> None:
    from Testing.Harness.setup_picture import SHOWN_FOLDER, SHOWN_PYTHON, _as_users

    words = f"It is made in {tmp_path}/environment from Python 3.12.1, /opt/python/bin/python3."
    assert _as_users(words, str(tmp_path)) == (
        f"It is made in {SHOWN_FOLDER}/environment from Python 3.12.1, {SHOWN_PYTHON}."
    )
