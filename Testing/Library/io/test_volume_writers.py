"""What is written is read back the same, by this project and by ITK itself."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from Testing.Library.geometries import KIND_NAMES, KINDS, SHEARED, geometries, grid

EXACT = ["x.nrrd", "x.mha"]
ALL = [*EXACT, "x.nii", "x.nii.gz"]
TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


def noise(geometry: Geometry, dtype: str = "i2", channels: int = 1) -> Image:
    values = np.random.default_rng(3).integers(0, 100, (channels, *geometry.shape_kji))
    return Image(values.astype(dtype), geometry)


def largest_difference(first: Geometry, second: Geometry) -> float:
    return float(np.abs(first.ijk_to_lps - second.ijk_to_lps).max())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(geometry=geometries())
def test_any_grid_survives(tmp_path: Path, geometry: Geometry) -> None:
    image = noise(geometry)
    for name in ALL:
        image.write(tmp_path / name)
        again = Image.read(tmp_path / name)
        assert np.array_equal(again.array, image.array)
        size = np.abs(geometry.ijk_to_lps).max()
        allowed = 1e-12 * size if name in EXACT else 1e-5
        # A NIfTI file holds 24 bits of each number.
        allowed = max(allowed, 0 if name in EXACT else size * 2**-23)
        assert largest_difference(again.geometry, geometry) <= allowed


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_itk_reads_the_same_place(tmp_path: Path, kind: dict[str, bool], name: str) -> None:
    image = noise(grid(**kind))
    image.write(tmp_path / name)
    theirs = sitk.ReadImage(str(tmp_path / name))
    assert np.array_equal(sitk.GetArrayFromImage(theirs), image.array[0])
    for ijk in ((0, 0, 0), (8, 6, 4)):
        lps = theirs.TransformIndexToPhysicalPoint(ijk)
        ras = image.geometry.kji_to_ras([ijk[::-1]])[0]
        assert [-lps[0], -lps[1], lps[2]] == pytest.approx(ras, abs=1e-5)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_files_of_itk_are_read_at_the_same_place(
    tmp_path: Path, kind: dict[str, bool], name: str
) -> None:
    geometry = grid(**kind)
    theirs = sitk.GetImageFromArray(noise(geometry).array[0])
    theirs.SetSpacing(geometry.spacing_mm)
    theirs.SetOrigin(geometry.origin_lps)
    theirs.SetDirection(np.ravel(geometry.direction).tolist())
    sitk.WriteImage(theirs, str(tmp_path / name))
    image = Image.read(tmp_path / name)
    assert np.array_equal(image.array, noise(geometry).array)
    assert largest_difference(image.geometry, geometry) < 1e-5


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_is_kept(tmp_path: Path, dtype: str, name: str) -> None:
    image = noise(grid(), dtype)
    image.write(tmp_path / name)
    again = Image.read(tmp_path / name)
    assert again.array.dtype == np.dtype(dtype)
    assert np.array_equal(again.array, image.array)
    if dtype[1] != "8" or dtype == "f8":
        theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))
        assert theirs.dtype == np.dtype(dtype)
        assert np.array_equal(theirs, image.array[0])


@pytest.mark.parametrize("name", ALL)
def test_sheared_grids_are_kept(tmp_path: Path, name: str) -> None:
    image = noise(SHEARED)
    image.write(tmp_path / name)
    again = Image.read(tmp_path / name)
    assert largest_difference(again.geometry, SHEARED) < 1e-5
    assert np.array_equal(again.array, image.array)


@pytest.mark.parametrize("name", ALL)
def test_colours_are_kept(tmp_path: Path, name: str) -> None:
    colours = noise(grid(), "u1", 3)
    colours.write(tmp_path / name)
    again = Image.read(tmp_path / name)
    assert again.channel_names == RGB_NAMES
    assert np.array_equal(again.array, colours.array)
    theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))
    assert np.array_equal(np.moveaxis(theirs, -1, 0), colours.array)


@pytest.mark.parametrize("channels", [2, 5])
@pytest.mark.parametrize("name", EXACT)
def test_channels_are_kept(tmp_path: Path, name: str, channels: int) -> None:
    image = noise(grid(oblique=True), "f4", channels)
    image.write(tmp_path / name)
    again = Image.read(tmp_path / name)
    assert np.array_equal(again.array, image.array)
    assert again.channel_names == image.channel_names


@pytest.mark.parametrize("name", ALL)
def test_half_floats_are_written_as_floats(tmp_path: Path, name: str) -> None:
    noise(grid(), "f2").write(tmp_path / name)
    assert Image.read(tmp_path / name).array.dtype == np.float32


@given(degrees=st.sampled_from([0.0, 90.0, 180.0, 270.0]), axis=st.integers(0, 2))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_right_angles_keep_their_qform(tmp_path: Path, degrees: float, axis: int) -> None:
    """Half turns are where a quaternion's first number vanishes."""
    from DiffusionSegLib.nouns.geometry import as_direction
    from Testing.Library.geometries import rotation

    turns = [0.0, 0.0, 0.0]
    turns[axis] = degrees
    geometry = Geometry((2, 3, 4), direction=as_direction(rotation(tuple(turns))))  # type: ignore[arg-type]
    noise(geometry).write(tmp_path / "x.nii")
    header = bytearray((tmp_path / "x.nii").read_bytes())
    header[254:256] = b"\0\0"  # forget the sform, so that the qform counts
    (tmp_path / "x.nii").write_bytes(header)
    assert largest_difference(Image.read(tmp_path / "x.nii").geometry, geometry) < 1e-5


def test_files_without_a_clock_are_the_same_twice(tmp_path: Path) -> None:
    for name in ALL:
        noise(grid()).write(tmp_path / name)
        first = (tmp_path / name).read_bytes()
        noise(grid()).write(tmp_path / name)
        assert (tmp_path / name).read_bytes() == first
