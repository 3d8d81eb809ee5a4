"""What a user may hand over by mistake is one clear sentence, never a crash."""

import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.errors import DiffusionSegError, GeometryError, InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from Testing.Library.geometries import grid

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".nhdr", ".seg.nrrd", ".mha", ".mhd", ".dcm", ".png",
            ".jpg", ".tif", ".webp", ".bmp", ".xyz", ""]  # fmt: skip
MAGIC = [
    b"", b"NRRD0004\n", b"ObjectType = Image\nNDims = 3\n", b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0", b"II*\0\x08\0\0\0", b"MM\0*", b"BM", b"RIFF....WEBPVP8 ",
    b"\0" * 128 + b"DICM", b"\x1f\x8b\x08\0",
    b"\x5c\x01\0\0" + b"\0" * 340 + b"n+1\0",
    b"NRRD0004\ntype: short\ndimension: 3\nsizes: 9 9 9\nencoding: gzip\nendian: little\n\n",
    b"ObjectType = Image\nNDims = 3\nDimSize = 9 9 9\nElementType = MET_SHORT\n"
    b"ElementDataFile = LOCAL\n",
]  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from(SUFFIXES),
    start=st.sampled_from(MAGIC),
    rest=st.binary(max_size=600),
    pack=st.booleans(),
)
@example(suffix="", start=b"", rest=b"", pack=False)
def test_any_bytes_are_an_image_or_one_sentence(
    tmp_path: Path, suffix: str, start: bytes, rest: bytes, pack: bool
) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(gzip.compress(start + rest) if pack else start + rest)
    for read in (Image.read, Mask.read):
        try:
            read(path)
        except DiffusionSegError as error:
            assert "x" in str(error)
            assert "\n" not in str(error)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["x.nii", "x.nii.gz", "x.nrrd", "x.mha", "x.seg.nrrd", "x.png", "x.tif"]),
    place=st.floats(0, 1),
    value=st.integers(0, 255),
)
def test_one_wrong_byte_never_crashes(tmp_path: Path, name: str, place: float, value: int) -> None:
    shape = (1, 9, 8) if name[2:] in ("png", "tif") else (4, 9, 8)
    values = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint8)
    path = tmp_path / name
    Mask(values, Geometry(shape)).write(path)
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] = value
    path.write_bytes(data)
    for read in (Image.read, Mask.read):
        try:
            read(path)
        except DiffusionSegError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_and_nothing_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_text("Dear colleague, please find the scan attached.\n" * 30)
    with pytest.raises(InputError, match="x"):
        Image.read(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"empty \(0 bytes\)"):
        Image.read(path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        Image.read(tmp_path / "none.nii")
    with pytest.raises(InputError):
        Image.read("a\0b.nii")
    with pytest.raises(InputError):
        Image.read("x" * 5000)
    with pytest.raises(InputError, match="no DICOM image"):
        Image.read(tmp_path)
    with pytest.raises(InputError, match="No image"):
        Image.read([])


@pytest.mark.parametrize("name", ["x.nrrd", "x.mha"])
def test_truncated_volumes_are_refused_quietly(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    values = np.random.default_rng(0).integers(0, 999, (1, 20, 20, 20)).astype(np.int16)
    Image(values, Geometry((20, 20, 20))).write(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    for keep in (0.02, 0.5, 0.99):
        (tmp_path / name).write_bytes(data[: int(len(data) * keep)])
        with pytest.raises(InputError, match=name):
            Image.read(tmp_path / name)
    assert capfd.readouterr().err == ""


HEADER = (
    "NRRD0004\ntype: {type}\ndimension: {n}\n{space}sizes: {sizes}\nendian: little\n"
    "encoding: raw\n\n"
)


def nrrd(path: Path, **fields: object) -> Path:
    voxels = np.random.default_rng(0).integers(0, 99, 5000).astype("<i2").tobytes()
    path.write_bytes(HEADER.format(**fields).encode() + voxels)
    return path


SPACE = "space: left-posterior-superior\nspace directions: {}\nspace origin: (0,0,0)\n"


@pytest.mark.parametrize(
    ("directions", "words"),
    [
        ("(0,0,0) (0,1,0) (0,0,1)", "x.nrrd"),
        ("(1,0,0) (1,0,0) (0,0,1)", "x.nrrd"),
        ("(nan,0,0) (0,1,0) (0,0,1)", "x.nrrd"),
    ],
)
def test_impossible_directions_are_refused(tmp_path: Path, directions: str, words: str) -> None:
    path = nrrd(
        tmp_path / "x.nrrd", type="short", n=3, space=SPACE.format(directions), sizes="5 5 5"
    )
    with pytest.raises(InputError, match=words):
        Image.read(path)


def test_a_singular_metaimage_is_a_geometry_error(tmp_path: Path) -> None:
    values = np.arange(27, dtype=np.int16).reshape(1, 3, 3, 3)
    Image(values, Geometry((3, 3, 3))).write(tmp_path / "x.mha")
    data = (tmp_path / "x.mha").read_bytes()
    zero = data.replace(b"ElementSpacing = 1.0 1.0 1.0", b"ElementSpacing = 0.0 1.0 1.0")
    (tmp_path / "x.mha").write_bytes(zero)
    with pytest.raises(InputError, match=r"x\.mha"):
        Image.read(tmp_path / "x.mha")


def test_series_and_complex_numbers_are_refused(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.Image([4, 4, 4, 3], sitk.sitkInt16), str(tmp_path / "x.nrrd"))
    with pytest.raises(InputError, match=r"series of 3 images \(4 x 4 x 4 x 3\)"):
        Image.read(tmp_path / "x.nrrd")
    sitk.WriteImage(sitk.Image([4, 4, 4], sitk.sitkComplexFloat32), str(tmp_path / "c.nii"))
    with pytest.raises(InputError, match=r"c\.nii holds complex numbers"):
        Image.read(tmp_path / "c.nii")
    kinds = "kinds: complex domain domain domain\n"
    path = nrrd(tmp_path / "c.nrrd", type="float", n=4, space=kinds, sizes="2 4 4 4")
    with pytest.raises(InputError, match=r"c\.nrrd holds complex numbers"):
        Image.read(path)


def test_a_fourth_axis_of_one_is_no_series(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 99, (1, 3, 4, 5)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=False), str(tmp_path / "x.nrrd"))
    assert np.array_equal(Image.read(tmp_path / "x.nrrd").array, values)


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nrrd", "x.mha"])
def test_unusable_voxels_are_refused(tmp_path: Path, name: str) -> None:
    for value, words in ((np.nan, "not a number"), (0.0, "blank")):
        array = np.zeros((1, 3, 4, 5), np.float32)
        array[0, 1, 2, 3] = value
        Image(array, Geometry((3, 4, 5))).write(tmp_path / name)
        with pytest.raises(InputError, match=words):
            Image.read(tmp_path / name)
    Image(np.arange(20.0).reshape(1, 4, 5, 1), Geometry((4, 5, 1))).write(tmp_path / name)
    with pytest.raises(InputError, match="one voxel thin along i"):
        Image.read(tmp_path / name)


def test_a_claim_of_terabytes_is_refused(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "x.nrrd", type="short", n=3, space="", sizes="100000 100000 1000")
    with pytest.raises(InputError, match=r"x\.nrrd"):
        Image.read(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".png"])
def test_files_without_their_ending_are_recognised(tmp_path: Path, suffix: str) -> None:
    shape = (1, 9, 8)
    values = np.random.default_rng(0).integers(0, 200, (1, *shape)).astype(np.uint8)
    Image(values, Geometry(shape)).write(tmp_path / f"x{suffix}")
    (tmp_path / f"x{suffix}").rename(tmp_path / "scan")
    image = Image.read(tmp_path / "scan")
    assert np.array_equal(image.array, values)
    assert image.path == tmp_path / "scan"


def test_four_bytes_are_colours_with_opacity(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (3, 4, 5, 4)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=True), str(tmp_path / "x.nrrd"))
    image = Image.read(tmp_path / "x.nrrd")
    assert image.channel_names == RGB_NAMES
    assert np.array_equal(image.array, np.moveaxis(values, -1, 0)[:3])


def test_masks_are_read_with_labels_or_refused(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3, (5, 7, 9)).astype(np.uint8)
    mask = Mask(values, grid(oblique=True))
    for name in ("x.nii", "x.nii.gz", "x.nrrd", "x.mha", "x.seg.nrrd"):
        mask.write(tmp_path / name)
        again = Mask.read(tmp_path / name, [Label(2, "Tumour")])
        assert np.array_equal(again.array, values)
        assert [label.name for label in again.labels] == ["Tumour", "Label 1"]
    image = Image(values[None].astype(np.float32) / 2, mask.geometry)
    for name in ("p.nii.gz", "p.nrrd"):
        image.write(tmp_path / name)
        with pytest.raises(InputError, match=f"{name} is not a mask.*fractions"):
            Mask.read(tmp_path / name)
    two = Image(np.stack([values, values]), mask.geometry)
    for name in ("t.mha", "t.nrrd"):
        two.write(tmp_path / name)
        with pytest.raises(InputError, match="2 channels"):
            Mask.read(tmp_path / name)
    with pytest.raises(InputError, match="DICOM"):
        Mask.read(tmp_path)


def test_empty_masks_are_masks(tmp_path: Path) -> None:
    Mask(np.zeros((2, 3, 4), np.uint8), Geometry((2, 3, 4))).write(tmp_path / "x.nii.gz")
    assert Mask.read(tmp_path / "x.nii.gz").is_empty


def test_a_bad_header_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "scan.nii").write_bytes(b"\x5c\x01\0\0" + b"\0" * 340 + b"n+1\0" + b"\0" * 999)
    with pytest.raises(InputError, match=r"scan\.nii"):
        Image.read(tmp_path / "scan.nii")
    assert issubclass(GeometryError, InputError)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".png"])
def test_a_name_in_another_encoding_does_not_end_the_process(tmp_path: Path, suffix: str) -> None:
    """Latin-1 on a disk of an old computer; ITK's C++ has no way to report such a name."""
    path = tmp_path / os.fsdecode(b"sch\xe4del" + suffix.encode())
    values = np.arange(600, dtype=np.uint8).reshape(1, 20, 30)
    Image.from_array(values).write(path)
    if suffix in (".nrrd", ".mha"):
        with pytest.raises(InputError, match=r"sch\\udce4del.* rename the file"):
            Image.read(path)
    else:
        assert np.array_equal(Image.read(path).array[0], values)


@pytest.mark.skipif(os.name != "posix", reason="pipes have no names elsewhere")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.nii")
    with pytest.raises(InputError, match=r"x\.nii is a pipe or a device"):
        Image.read(tmp_path / "x.nii")


@pytest.mark.parametrize("name", ["x.nhdr", "x.mhd"])
def test_a_header_without_its_voxels_says_what_may_be_missing(tmp_path: Path, name: str) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(np.eye(9, dtype=np.uint8)), str(tmp_path / name))
    assert Image.read(tmp_path / name).array.shape == (1, 1, 9, 9)
    for voxels in tmp_path.glob("*raw*"):
        voxels.unlink()
    with pytest.raises(InputError, match="the file of its voxels is not beside it"):
        Image.read(tmp_path / name)
