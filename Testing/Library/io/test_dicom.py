from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from Testing.Library.geometries import rotation

VOXELS = np.random.default_rng(0).integers(-1000, 1000, (9, 20, 30)).astype(np.int16)


def save(
    folder: Path,
    voxels: np.ndarray = VOXELS,
    uid: str = "1.2.3",
    axes: np.ndarray | None = None,
    step: tuple[float, ...] | None = None,
    prefix: str = "",
    **tags: str,
) -> None:
    """One DICOM file for each slice; the names are not in the order of the slices."""
    folder.mkdir(parents=True, exist_ok=True)
    axes = np.eye(3) if axes is None else axes
    step_lps = np.asarray(step) if step else axes[:, 2] * 2.5
    for number, pixels in enumerate(voxels):
        image = sitk.GetImageFromArray(pixels[np.newaxis], isVector=pixels.ndim == 3)
        origin = np.array([10.0, -20.0, 30.0]) + number * step_lps
        image.SetSpacing((0.7, 0.8, 2.5))
        image.SetOrigin(origin.tolist())
        image.SetDirection(axes.ravel().tolist())
        values = {
            "0008|0060": "CT", "0008|0008": "ORIGINAL\\PRIMARY\\AXIAL", "0020|000e": uid,
            "0020|000d": "1.2", "0008|0018": f"{uid}.{number}", "0008|103e": "Thorax",
            "0020|0032": "\\".join(map(str, origin)), "0020|0013": str(number),
            "0020|0037": "\\".join(map(str, axes[:, :2].T.ravel())),
        } | tags  # fmt: skip
        for key, value in values.items():
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{prefix}{uid}_{number * 7 % 10}.dcm"))
        writer.Execute(image)


@pytest.mark.parametrize("degrees", [(0.0, 0.0, 0.0), (90.0, 0.0, 0.0), (20.0, -15.0, 30.0)])
def test_slices_are_put_in_their_order_in_space(
    tmp_path: Path, degrees: tuple[float, float, float]
) -> None:
    axes = rotation(degrees)
    save(tmp_path, axes=axes)
    image = Image.read(tmp_path)
    assert np.array_equal(image.array[0], VOXELS)
    assert image.array.dtype == np.int16
    assert image.geometry.spacing_mm == pytest.approx((0.7, 0.8, 2.5))
    assert np.asarray(image.geometry.direction) == pytest.approx(axes, abs=1e-6)
    assert image.geometry.origin_lps == pytest.approx((10, -20, 30))
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    theirs = sitk.ReadImage(names)
    assert np.ravel(image.geometry.direction) == pytest.approx(theirs.GetDirection(), abs=1e-6)
    assert np.array_equal(sitk.GetArrayFromImage(theirs), image.array[0])


def test_a_tilted_stack_keeps_its_shear(tmp_path: Path) -> None:
    save(tmp_path, step=(0.0, 0.5, 2.0))
    geometry = Image.read(tmp_path).geometry
    last = geometry.kji_to_ras([[8, 0, 0]])[0]
    assert last == pytest.approx([-10, 20 - 8 * 0.5, 30 + 8 * 2.0])


def test_localizers_and_other_files_are_passed_over(tmp_path: Path) -> None:
    save(tmp_path / "scan")
    save(tmp_path, VOXELS[:3], "9.9", **{"0008|0008": "ORIGINAL\\PRIMARY\\LOCALIZER"})
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "DICOMDIR").write_text("hello")
    assert np.array_equal(Image.read(tmp_path).array[0], VOXELS)


def test_three_crossing_slices_are_a_localizer_too(tmp_path: Path) -> None:
    save(tmp_path)
    for number, degrees in enumerate([(0.0, 0.0, 0.0), (90.0, 0.0, 0.0), (0.0, 90.0, 0.0)]):
        save(tmp_path, VOXELS[:1], "9.9", rotation(degrees), prefix=str(number))
    assert np.array_equal(Image.read(tmp_path).array[0], VOXELS)


def test_several_volumes_are_listed_and_one_may_be_chosen(tmp_path: Path) -> None:
    save(tmp_path)
    save(tmp_path, VOXELS[:4], "4.5.6", **{"0008|103e": "Abdomen"})
    with pytest.raises(InputError, match=r"'Thorax' \(CT, 9 slices, 1\.2\.3\).*'Abdomen'.*4\.5\.6"):
        Image.read(tmp_path)
    assert Image.read(tmp_path, series="4.5.6").array.shape == (1, 4, 20, 30)
    with pytest.raises(InputError, match=r"no series 7\.7"):
        Image.read(tmp_path, series="7.7")


def file_of(folder: Path, number: int) -> Path:
    return folder / f"1.2.3_{number * 7 % 10}.dcm"


def remove_middle(folder: Path) -> None:
    file_of(folder, 4).unlink()


def changed(key: str, value: str) -> Callable[[Path], None]:
    """Another value of one tag in slice 4."""

    def change(folder: Path) -> None:
        image = sitk.ReadImage(str(file_of(folder, 4)))
        if key == "spacing":
            image.SetSpacing([float(number) for number in value.split()])
        else:
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(file_of(folder, 4)))
        writer.Execute(image)

    return change


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (remove_middle, "5.00 mm between slices 4 and 5, elsewhere 2.50 mm"),
        (lambda folder: save(folder, prefix="again"), "18 images of 9 places"),
        (lambda folder: save(folder, VOXELS[:1, :9], prefix="small"), "differ in size"),
        (changed("spacing", "1.4 0.8 2.5"), "0.7 x 0.8 mm in slice 1 and 1.4 x 0.8 mm in slice 5"),
        (changed("0020|0032", "13\\-20\\40"), r"slice 5 is 3\.00 mm beside the line"),
    ],
)
def test_what_is_no_stack_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    save(tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError, match=words):
        Image.read(tmp_path)


def test_crossing_slices_alone_are_no_volume(tmp_path: Path) -> None:
    for number, degrees in enumerate([(0.0, 0.0, 0.0), (90.0, 0.0, 0.0)]):
        save(tmp_path, VOXELS[:1], "9.9", rotation(degrees), prefix=str(number))
    with pytest.raises(InputError, match="not parallel"):
        Image.read(tmp_path)


def test_a_single_file_is_a_picture(tmp_path: Path) -> None:
    save(tmp_path, VOXELS[:1])
    for path in (tmp_path / "1.2.3_0.dcm", tmp_path):
        image = Image.read(path)
        assert (image.dimension, image.array.shape) == (2, (1, 1, 20, 30))
        assert image.geometry.spacing_mm[:2] == pytest.approx((0.7, 0.8))
    (tmp_path / "1.2.3_0.dcm").rename(tmp_path / "IM0001")
    assert np.array_equal(Image.read(tmp_path / "IM0001").array[0], VOXELS[:1])


def test_colours_are_kept(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (1, 20, 30, 3)).astype(np.uint8)
    save(tmp_path, colours, **{"0008|0060": "XC"})
    image = Image.read(tmp_path)
    assert image.channel_names == RGB_NAMES
    assert np.array_equal(image.array, np.moveaxis(colours, -1, 0))


def test_scaled_slices_come_in_their_units(tmp_path: Path) -> None:
    """As in PET: a factor for each slice, of which the first one is a whole number."""
    save(tmp_path, VOXELS[:3], **{"0028|1053": "1", "0028|1052": "0"})
    plain = b"\x28\0\x53\x10\x02\0\0\x001 "
    for number, factor in ((1, b"0.50"), (2, b"0.25")):
        path = tmp_path / f"1.2.3_{number * 7 % 10}.dcm"
        data = path.read_bytes()
        assert plain in data
        path.write_bytes(data.replace(plain, b"\x28\0\x53\x10\x04\0\0\0" + factor))
    image = Image.read(tmp_path)
    assert image.array.dtype == np.float32
    for number, factor in enumerate((1.0, 0.5, 0.25)):
        assert image.array[0, number] == pytest.approx(VOXELS[number] * factor)


@pytest.mark.parametrize(("narrow", "wide"), [(np.uint16, np.int32), (np.uint8, np.int16)])
def test_slices_of_several_integer_types_keep_their_values(
    tmp_path: Path, narrow: type[np.generic], wide: type[np.generic]
) -> None:
    """ITK alone reads all of them in the type of the first, so that -5 becomes 65531."""
    first = np.abs(VOXELS[:1] // 8).astype(narrow)
    save(tmp_path, first)
    save(tmp_path / "more", VOXELS[:4])
    file_of(tmp_path / "more", 0).unlink()
    image = Image.read(tmp_path)
    assert image.array.dtype == wide
    assert np.array_equal(image.array[0], np.concatenate([first.astype(np.int64), VOXELS[1:4]]))


def test_slices_may_be_half_a_pixel_aside(tmp_path: Path) -> None:
    save(tmp_path)
    changed("0020|0032", "10.3\\-20\\40")(tmp_path)
    assert np.array_equal(Image.read(tmp_path).array[0], VOXELS)


@pytest.mark.parametrize("kept", [0, 700])
def test_a_slice_at_the_end_that_was_cut_before_its_pixels_is_not_left_out(
    tmp_path: Path, kept: int
) -> None:
    save(tmp_path)
    path = file_of(tmp_path, 8)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=f"{path.name} is a damaged DICOM"):
        Image.read(tmp_path)


@pytest.mark.parametrize("missing", [2, 600, 1190])
def test_cut_and_damaged_files_are_refused(tmp_path: Path, missing: int) -> None:
    save(tmp_path)
    path = tmp_path / "1.2.3_0.dcm"
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(InputError, match=r"1\.2\.3_0\.dcm is a damaged DICOM"):
        Image.read(tmp_path)
    with pytest.raises(InputError, match=r"1\.2\.3_0\.dcm is a damaged DICOM"):
        Image.read(path)
    (tmp_path / "x.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 99)
    with pytest.raises(InputError, match=r"x\.dcm is not a DICOM image"):
        Image.read(tmp_path / "x.dcm")
