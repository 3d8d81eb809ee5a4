import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.io import nifti
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from Testing.Library.geometries import grid


@pytest.fixture
def image() -> Image:
    values = np.random.default_rng(0).integers(-999, 999, (1, 20, 30, 40)).astype(np.int16)
    return Image(values, grid((20, 30, 40), oblique=True, anisotropic=True, left_handed=True))


def changed(path: Path, image: Image, *fields: tuple[int, bytes]) -> Path:
    """The image's .nii with some bytes of its header replaced."""
    image.write(path)
    data = bytearray(path.read_bytes())
    for offset, value in fields:
        data[offset : offset + len(value)] = value
    path.write_bytes(data)
    return path


def packed(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data, 6))
    return path


@pytest.mark.parametrize("keep", [0.001, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_a_truncated_file_is_refused(tmp_path: Path, image: Image, name: str, keep: float) -> None:
    path = tmp_path / name
    image.write(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(InputError, match=r"x\.nii.*(damaged|not a NIfTI)"):
        Image.read(path)


def test_every_flipped_bit_in_the_voxels_is_noticed(tmp_path: Path, image: Image) -> None:
    path = tmp_path / "x.nii.gz"
    image.write(path)
    data = path.read_bytes()
    for place in range(600, len(data) - 8, len(data) // 40):
        broken = bytearray(data)
        broken[place] ^= 0x10
        path.write_bytes(broken)
        with pytest.raises(InputError, match="damaged"):
            Image.read(path)


def test_several_gzip_members_make_one_file(tmp_path: Path, image: Image) -> None:
    image.write(tmp_path / "x.nii")
    data = (tmp_path / "x.nii").read_bytes()
    path = tmp_path / "y.nii.gz"
    path.write_bytes(gzip.compress(data[:9999]) + gzip.compress(data[9999:]))
    assert np.array_equal(Image.read(path).array, image.array)


def test_a_compressed_file_without_the_gz_and_the_reverse(tmp_path: Path, image: Image) -> None:
    image.write(tmp_path / "x.nii")
    data = (tmp_path / "x.nii").read_bytes()
    packed(tmp_path / "packed.nii", data)
    (tmp_path / "plain.nii.gz").write_bytes(data)
    for name in ("packed.nii", "plain.nii.gz"):
        assert np.array_equal(Image.read(tmp_path / name).array, image.array)


def test_large_files_are_inflated_without_itk(
    tmp_path: Path, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    image.write(tmp_path / "x.nii.gz")
    small = Image.read(tmp_path / "x.nii.gz")
    monkeypatch.setattr(nifti, "_LARGEST_FOR_ITK", 0)
    monkeypatch.setattr(nifti, "_inflated_by_itk", None)
    large = Image.read(tmp_path / "x.nii.gz")
    assert large.content_hash() == small.content_hash()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compress", [False, True])
def test_both_byte_orders_and_scaling(tmp_path: Path, order: str, compress: bool) -> None:
    voxels = np.random.default_rng(0).integers(-999, 999, (3, 4, 5)).astype(order + "i2")
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, 3, 5, 4, 3, 1, 1, 1, 1)
    struct.pack_into(order + "2h", header, 70, 4, 16)
    struct.pack_into(order + "8f", header, 76, 1, 2, 3, 4, 0, 0, 0, 0)
    struct.pack_into(order + "3f", header, 108, 352, 0.5, -10)
    header[344:348] = b"n+1\0"
    data = bytes(header) + voxels.tobytes()
    path = tmp_path / ("x.nii.gz" if compress else "x.nii")
    path.write_bytes(gzip.compress(data) if compress else data)
    image = Image.read(path)
    assert image.array.dtype == np.float32
    assert image.array[0] == pytest.approx(voxels.astype(float) * 0.5 - 10)
    theirs = sitk.ReadImage(str(path))
    assert image.array[0] == pytest.approx(sitk.GetArrayFromImage(theirs))
    # Without qform and sform ITK's position is identity in LPS.
    assert image.geometry == Geometry((3, 4, 5), (2.0, 3.0, 4.0))
    assert theirs.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def second_version(voxels: np.ndarray) -> bytes:
    header = bytearray(544)
    struct.pack_into("<i", header, 0, 540)
    header[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into("<2h", header, 12, 4, 16)
    struct.pack_into("<8q", header, 16, 3, *voxels.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<8d", header, 104, 1, 2, 3, 4, 0, 0, 0, 0)
    struct.pack_into("<q", header, 168, 544)
    struct.pack_into("<2i", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, -2, 0, 0, 7, 0, 3, 0, 8, 0, 0, 4, 9)
    return bytes(header) + voxels.tobytes()


def test_the_second_version_is_read(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(-9, 9, (3, 4, 5)).astype("<i2")
    (tmp_path / "x.nii").write_bytes(second_version(voxels))
    image = Image.read(packed(tmp_path / "y.nii.gz", second_version(voxels)))
    assert np.array_equal(image.array[0], voxels)
    assert image.geometry.ijk_to_ras[:3, 3].tolist() == [7, 8, 9]
    assert image.geometry == Image.read(tmp_path / "x.nii").geometry


def sform(*rows: float) -> tuple[int, bytes]:
    return 280, struct.pack("<12f", *rows)


CODES = 252
UNITS = 123
SHIFTED = sform(1, 0, 0, 50, 0, 1, 0, 60, 0, 0, 1, 70)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(CODES, struct.pack("<2h", 1, 0))],
        [(CODES, struct.pack("<2h", 0, 2))],
        [(CODES, struct.pack("<2h", 1, 2))],
        [(CODES, struct.pack("<2h", 1, 2)), SHIFTED],
        [(CODES, struct.pack("<2h", 2, 1)), SHIFTED],
        [(CODES, struct.pack("<2h", 0, 4)), SHIFTED],
        [(CODES, struct.pack("<2h", 1, 1)), sform(1, 0.3, 0, 5, 0, 1, 0, 6, 0, 0, 1, 7)],
        [(CODES, struct.pack("<2h", 0, 0))],
        [(76, struct.pack("<f", 1.0))],
        [(UNITS, b"\x03")],
        [(UNITS, b"\x0b"), (CODES, struct.pack("<2h", 1, 0))],
        [(UNITS, b"\x01"), (CODES, struct.pack("<2h", 0, 1)), SHIFTED],
    ],
    ids=["both", "qform", "sform", "agree", "qform wins", "scanner sform wins", "only sform",
         "sheared sform loses", "none", "sform says handedness", "micrometers",
         "micrometers and seconds", "meters"],
)  # fmt: skip
def test_the_place_is_where_itk_sees_it(
    tmp_path: Path, image: Image, fields: list[tuple[int, bytes]]
) -> None:
    path = changed(tmp_path / "x.nii", image, *fields)
    geometry = Image.read(path).geometry
    theirs = sitk.ReadImage(str(path))
    for ijk in ((0, 0, 0), (39, 29, 19)):
        lps = theirs.TransformIndexToPhysicalPoint(ijk)
        ras = geometry.kji_to_ras([ijk[::-1]])[0]
        assert [-lps[0], -lps[1], lps[2]] == pytest.approx(ras, abs=2e-4)
    assert theirs.GetSpacing() == pytest.approx(geometry.spacing_mm, rel=1e-5)


def test_lengths_of_the_second_version_may_be_micrometers(tmp_path: Path) -> None:
    data = bytearray(second_version(np.arange(60, dtype="<i2").reshape(3, 4, 5)))
    struct.pack_into("<i", data, 500, 3)
    (tmp_path / "x.nii").write_bytes(data)
    geometry = Image.read(tmp_path / "x.nii").geometry
    assert geometry.spacing_mm == pytest.approx((0.002, 0.003, 0.004))
    assert geometry.ijk_to_ras[:3, 3] == pytest.approx([0.007, 0.008, 0.009])


SERIES = [(40, struct.pack("<h", 4)), (42, struct.pack("<4h", 40, 30, 10, 2))]
NAN = struct.pack("<f", float("nan"))


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ([(80, struct.pack("<f", 0.0))], GeometryError, r"spacing of \(0, 0\.9, 2\.5\)"),
        ([(84, struct.pack("<f", -2.0))], GeometryError, r"-2"),
        ([(88, NAN)], GeometryError, "nan"),
        ([(292, NAN)], GeometryError, "not a number"),
        ([(CODES, struct.pack("<2h", 0, 1)), sform(*[0.0] * 12)], GeometryError, "above zero"),
        ([(CODES, struct.pack("<2h", 0, 1)), sform(*[1.0] * 12)], GeometryError, "singular"),
        (SERIES, InputError, "series of 2"),
        ([(42, struct.pack("<h", 0))], InputError, "empty"),
        ([(42, struct.pack("<h", 30000))], InputError, "incomplete"),
        ([(70, struct.pack("<h", 32))], InputError, "complex"),
        ([(70, struct.pack("<h", 1536))], InputError, "type 1536"),
        ([(108, struct.pack("<f", float("inf")))], InputError, "damaged"),
        ([(344, b"xxxx")], InputError, "not a NIfTI"),
    ],
)  # fmt: skip
def test_impossible_headers_are_one_sentence(
    tmp_path: Path,
    image: Image,
    fields: list[tuple[int, bytes]],
    error: type[InputError],
    words: str,
) -> None:
    path = changed(tmp_path / "x.nii", image, *fields)
    for file in (path, packed(tmp_path / "x.nii.gz", path.read_bytes())):
        with pytest.raises(error, match=words):
            Image.read(file)


def test_a_sheared_sform_alone_is_kept_whatever_the_spacing_says(
    tmp_path: Path, image: Image
) -> None:
    """Tilted CT: the header's spacing is the distance of slices, not the length of the step."""
    fields = [(CODES, struct.pack("<2h", 0, 1)), sform(1, 0, 0, 5, 0, 1, 0.5, 6, 0, 0, 2, 7),
              (80, struct.pack("<3f", 1, 1, 2))]  # fmt: skip
    geometry = Image.read(changed(tmp_path / "x.nii", image, *fields)).geometry
    assert geometry.kji_to_ras([[4, 0, 0]])[0] == pytest.approx([5, 8, 15])


def test_lengths_are_declared_as_millimetres(tmp_path: Path, image: Image) -> None:
    image.write(tmp_path / "x.nii")
    units = sitk.ReadImage(str(tmp_path / "x.nii")).GetMetaData("xyzt_units")
    assert int(units) & 7 == 2


def test_a_fourth_axis_of_one_is_no_series(tmp_path: Path, image: Image) -> None:
    path = changed(tmp_path / "x.nii", image, (40, struct.pack("<h", 4)))
    assert np.array_equal(Image.read(path).array, image.array)


def test_a_claim_of_terabytes_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    data = bytearray(second_version(np.zeros((2, 2, 2), "<i2")))
    struct.pack_into("<3q", data, 24, 2**20, 2**20, 2**20)
    with pytest.raises(InputError, match="damaged"):
        Image.read(packed(tmp_path / "x.nii.gz", bytes(data)))
