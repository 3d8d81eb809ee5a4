from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.errors import OutputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask


@pytest.mark.parametrize("name", ["x", "x.txt", "x.dcm", "x.gz", "nii"])
def test_unknown_endings_are_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"\.nii\.gz.*\.mha"):
        Image.from_array(np.zeros((2, 3, 4))).write(tmp_path / name)
    with pytest.raises(OutputError, match=r"\.seg\.nrrd"):
        Mask.from_array(np.zeros((2, 3, 4))).write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_nifti_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="one channel or RGB"):
        Image.from_array(np.zeros((2, 2, 3, 4))).write(tmp_path / "x.nii")
    with pytest.raises(OutputError, match="32767"):
        Image.from_array(np.zeros((1, 1, 40000), np.uint8)).write(tmp_path / "x.nii.gz")
    assert list(tmp_path.iterdir()) == []


def test_endings_may_be_capitals_and_text_paths(tmp_path: Path) -> None:
    image = Image.from_array(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    image.write(str(tmp_path / "X.NII.GZ"))
    assert np.array_equal(Image.read(str(tmp_path / "X.NII.GZ")).array, image.array)


def test_parts_of_an_image_are_written_like_whole_ones(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 99, (2, 6, 7, 8)).astype(np.int16)
    part = (
        Image(values, Geometry((6, 7, 8)))
        .channel(1)
        .crop((slice(1, 5, None), slice(2, 6), slice(3, 8)))
    )
    for name in ("x.nii", "x.nii.gz", "x.nrrd", "x.mha"):
        part.write(tmp_path / name)
        assert np.array_equal(Image.read(tmp_path / name).array[0], values[1, 1:5, 2:6, 3:8])
