from pathlib import Path

import pytest

from DiffusionSegLib.cli.outputs import (
    SEGMENTATION_SUFFIXES,
    VOLUME_SUFFIXES,
    check_channels,
    check_outputs,
    check_suffix,
)
from DiffusionSegLib.errors import OutputError


@pytest.mark.parametrize("suffix", [*SEGMENTATION_SUFFIXES, ".SEG.NRRD"])
def test_volume_formats_hold_anything(suffix):
    for dimension in (None, 2, 3):
        check_suffix(Path("x" + suffix), SEGMENTATION_SUFFIXES, dimension)


def test_pictures_hold_one_slice():
    check_suffix(Path("x.png"), SEGMENTATION_SUFFIXES)
    check_suffix(Path("x.png"), SEGMENTATION_SUFFIXES, 2)
    with pytest.raises(OutputError, match="is a volume"):
        check_suffix(Path("x.png"), SEGMENTATION_SUFFIXES, 3)


@pytest.mark.parametrize("name", ["x", "x.dcm", "x.stl", "x.nii.zip", "nrrd"])
def test_unknown_formats(name):
    with pytest.raises(OutputError, match=r"not known.*\.seg\.nrrd"):
        check_suffix(Path(name), SEGMENTATION_SUFFIXES)


def test_the_nearest_format_is_suggested():
    with pytest.raises(OutputError, match=r"did you mean '\.nrrd'"):
        check_suffix(Path("x.nrd"), VOLUME_SUFFIXES)


def test_nifti_holds_one_probability():
    check_channels(Path("p.nii.gz"), 1)
    check_channels(Path("p.nrrd"), 2)
    with pytest.raises(OutputError, match="2 labels"):
        check_channels(Path("p.nii.gz"), 2)


def test_places(tmp_path):
    good = tmp_path / "out.nrrd"
    check_outputs([good])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="does not exist; create it"):
        check_outputs([tmp_path / "nowhere" / "out.nrrd"])
    with pytest.raises(OutputError, match="is a folder"):
        check_outputs([tmp_path])
    with pytest.raises(OutputError, match="also an input"):
        check_outputs([tmp_path / "." / "a.nrrd"], [tmp_path / "a.nrrd"])
    with pytest.raises(OutputError, match="Two outputs"):
        check_outputs([good, tmp_path / "x" / ".." / "out.nrrd"])


def test_an_existing_file_is_replaced_unless_forbidden(tmp_path):
    (tmp_path / "out.nrrd").write_text("old")
    check_outputs([tmp_path / "out.nrrd"])
    with pytest.raises(OutputError, match="exists already"):
        check_outputs([tmp_path / "out.nrrd"], replace=False)
    assert (tmp_path / "out.nrrd").read_text() == "old"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_an_unwritable_folder():
    with pytest.raises(OutputError, match="choose another folder"):
        check_outputs([Path("/proc/out.nrrd")])
