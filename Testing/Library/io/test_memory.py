"""A large volume is held about once while it is read and written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image

SHAPE = (180, 512, 512)
SIZE = 2 * 180 * 512 * 512
MEASURE = """
import resource, sys
from DiffusionSegLib.nouns.image import Image
import DiffusionSegLib.io.reading, DiffusionSegLib.io.writing

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

before = peak()
image = Image.read(sys.argv[1])
after = peak()
image.write(sys.argv[2])
print(after - before, peak() - after)
"""


@pytest.fixture(scope="module")
def volume() -> Image:
    values = np.zeros((1, *SHAPE), np.int16)
    values[0, 60:120] = np.random.default_rng(0).integers(0, 60, (60, 512, 512))
    return Image(values, Geometry(SHAPE))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak's unit differs between systems")
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.nrrd", "x.mha"])
def test_a_large_volume_is_held_about_once(tmp_path: Path, volume: Image, name: str) -> None:
    volume.write(tmp_path / name)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / name), str(tmp_path / f"again-{name}")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    reading, writing = map(int, run.stdout.split())
    packed = (tmp_path / name).stat().st_size if name.endswith("mha") else 0
    assert reading < 1.25 * SIZE + packed
    assert writing < 0.2 * SIZE
