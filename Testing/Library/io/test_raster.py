import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from DiffusionSegLib.errors import InputError, OutputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, (20, 30)).astype(np.uint8)
COLOUR = RNG.integers(0, 255, (20, 30, 3)).astype(np.uint8)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **options: object) -> Path:
    picture = Picture.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "webp", "tiff", "PNG"])
def test_lossless_pictures_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    image = Image.read(save(tmp_path / f"x.{suffix}", COLOUR, **options))
    assert image.array.shape == (3, 1, 20, 30)
    assert image.is_rgb
    assert image.dimension == 2
    assert np.array_equal(np.moveaxis(image.array[:, 0], 0, -1), COLOUR)
    assert image.geometry == Geometry((1, 20, 30))
    if suffix != "webp":
        grey = Image.read(save(tmp_path / f"y.{suffix}", GREY))
        assert np.array_equal(grey.array[0, 0], GREY)


def test_jpeg_is_close(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(20), np.arange(30)).astype(np.uint8) * 3
    image = Image.read(save(tmp_path / "x.jpg", np.dstack([smooth] * 3), quality=95))
    assert np.abs(image.array[0, 0].astype(int) - smooth).max() <= 4


def test_resolution_in_the_file_is_not_trusted(tmp_path: Path) -> None:
    image = Image.read(save(tmp_path / "x.png", GREY, dpi=(300, 300)))
    assert image.geometry.spacing_mm == (1.0, 1.0, 1.0)


def test_alpha_is_dropped(tmp_path: Path) -> None:
    rgba = np.dstack([COLOUR, GREY])
    image = Image.read(save(tmp_path / "x.png", rgba))
    assert np.array_equal(np.moveaxis(image.array[:, 0], 0, -1), COLOUR)
    grey_alpha = Picture.merge("LA", (Picture.fromarray(GREY), Picture.fromarray(GREY)))
    grey_alpha.save(tmp_path / "la.png")
    assert np.array_equal(Image.read(tmp_path / "la.png").array[0, 0], GREY)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    deep = RNG.integers(0, 65535, (20, 30)).astype(np.uint16)
    image = Image.read(save(tmp_path / f"x.{suffix}", deep))
    assert image.array.dtype == np.uint16
    assert np.array_equal(image.array[0, 0], deep)


def test_big_endian_and_float_tiff(tmp_path: Path) -> None:
    deep = RNG.integers(0, 65535, (20, 30)).astype(">u2")
    Picture.frombytes("I;16B", (30, 20), deep.tobytes()).save(tmp_path / "x.tif")
    image = Image.read(tmp_path / "x.tif")
    assert image.array.dtype.isnative
    assert np.array_equal(image.array[0, 0], deep)
    floats = RNG.normal(size=(20, 30)).astype(np.float32)
    assert np.array_equal(Image.read(save(tmp_path / "f.tif", floats)).array[0, 0], floats)


def tiff(path: Path, pixels: np.ndarray, kind: int) -> Path:
    """A little-endian TIFF of one strip, as TIFF 6.0 describes it; kind is SampleFormat."""
    rows, columns = pixels.shape
    fields = [(256, columns), (257, rows), (258, 8 * pixels.itemsize), (259, 1), (262, 1),
              (273, 122), (278, rows), (279, pixels.nbytes), (339, kind)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    head = b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(4)
    path.write_bytes(head + pixels.tobytes())
    return path


@pytest.mark.parametrize(("dtype", "kind"), [("u4", 1), ("i4", 2), ("i1", 2), ("u1", 1)])
def test_the_sign_of_a_tiffs_numbers_is_kept(tmp_path: Path, dtype: str, kind: int) -> None:
    """Pillow turns large unsigned numbers negative and small negative ones positive."""
    limits = np.iinfo(dtype)
    pixels = RNG.integers(limits.min, limits.max, (20, 30), endpoint=True).astype(dtype)
    image = Image.read(tiff(tmp_path / "x.tif", pixels, kind))
    assert image.array.dtype == dtype
    assert np.array_equal(image.array[0, 0], pixels)


def test_a_tiff_of_a_kind_that_is_not_read_says_so(tmp_path: Path) -> None:
    path = tiff(tmp_path / "x.tif", RNG.normal(size=(20, 30)), 3)
    with pytest.raises(InputError, match=r"x\.tif is a TIFF of a kind that cannot be read"):
        Image.read(path)


def test_palettes_become_colours_and_grey_palettes_grey(tmp_path: Path) -> None:
    quantised = Picture.fromarray(COLOUR).quantize(16)
    quantised.save(tmp_path / "x.png")
    expected = np.moveaxis(np.asarray(quantised.convert("RGB")), -1, 0)
    assert np.array_equal(Image.read(tmp_path / "x.png").array[:, 0], expected)
    grey = Picture.fromarray(GREY).quantize(16)
    grey.save(tmp_path / "g.png")
    assert len(Image.read(tmp_path / "g.png").array) == 1


def test_cmyk_and_single_bits(tmp_path: Path) -> None:
    assert Image.read(save(tmp_path / "x.tif", COLOUR, "CMYK")).is_rgb
    bits = Image.read(save(tmp_path / "b.png", GREY > 100))
    assert sorted(np.unique(bits.array)) == [0, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    picture = Picture.fromarray(COLOUR)
    exif = Picture.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "x.png", exif=exif)
    rows = Image.read(tmp_path / "x.png").array[:, 0]
    upright = np.moveaxis(COLOUR, -1, 0)
    turned = upright.swapaxes(1, 2)
    expected = [upright, upright[:, :, ::-1], upright[:, ::-1, ::-1], upright[:, ::-1],
                turned, turned[:, :, ::-1], turned[:, ::-1, ::-1], turned[:, ::-1]]  # fmt: skip
    assert np.array_equal(rows, expected[orientation - 1])


def test_tiff_pages_are_slices(tmp_path: Path) -> None:
    pages = [Picture.fromarray(np.roll(GREY, n)) for n in range(4)]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    image = Image.read(tmp_path / "x.tif")
    assert (image.array.shape, image.dimension) == ((1, 4, 20, 30), 3)
    assert np.array_equal(image.array[0, 3], np.roll(GREY, 3))


def test_pages_of_different_size_are_refused(tmp_path: Path) -> None:
    pages = [Picture.fromarray(GREY), Picture.fromarray(GREY[:9])]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="pages differ"):
        Image.read(tmp_path / "x.tif")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "bmp"])
def test_truncated_pictures_are_refused(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"x.{suffix}", COLOUR)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"x\.{suffix} is"):
        Image.read(path)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_masks_keep_their_values(tmp_path: Path, suffix: str) -> None:
    labels = RNG.integers(0, 5, (1, 20, 30)).astype(np.uint8) * 50
    Mask(labels, Geometry((1, 20, 30))).write(tmp_path / f"m.{suffix}")
    again = Mask.read(tmp_path / f"m.{suffix}")
    assert np.array_equal(again.array, labels)
    assert again.dimension == 2
    assert [label.value for label in again.labels] == [50, 100, 150, 200]


def test_a_palettes_indices_are_the_labels(tmp_path: Path) -> None:
    picture = Picture.fromarray(np.array([[0, 1], [2, 1]], np.uint8)).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "m.png")
    assert Mask.read(tmp_path / "m.png").array.tolist() == [[[0, 1], [2, 1]]]


def test_a_colour_picture_is_no_mask(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="colour picture"):
        Mask.read(save(tmp_path / "m.png", COLOUR))
    same = Mask.read(save(tmp_path / "s.png", np.dstack([GREY] * 3)))
    assert np.array_equal(same.array[0], GREY)
    bits = Mask.read(save(tmp_path / "b.png", GREY > 100))
    assert np.array_equal(bits.array[0], (GREY > 100).astype(np.uint8))


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "webp"])
def test_pictures_are_written_as_they_are(tmp_path: Path, suffix: str) -> None:
    image = Image.read(save(tmp_path / "x.png", COLOUR))
    image.write(tmp_path / f"y.{suffix}")
    assert np.array_equal(Image.read(tmp_path / f"y.{suffix}").array, image.array)


def test_what_no_picture_holds_is_refused(tmp_path: Path) -> None:
    for array in (np.zeros((1, 2, 4, 4), np.uint8), np.zeros((1, 1, 4, 4), np.float32),
                  np.zeros((2, 1, 4, 4), np.uint8)):  # fmt: skip
        with pytest.raises(OutputError, match=r"use \.nii\.gz"):
            Image.from_array(array).write(tmp_path / "x.png")
    with pytest.raises(OutputError, match="ending"):
        Mask.from_array(np.zeros((4, 4))).write(tmp_path / "x.jpg")
    assert list(tmp_path.iterdir()) == []
