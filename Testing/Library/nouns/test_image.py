from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from Testing.Library.geometries import KIND_NAMES, KINDS, grid


def noise(geometry: Geometry, seed: int = 0, channels: int = 1) -> Image:
    shape = (channels, *geometry.shape_kji)
    values = np.random.default_rng(seed).integers(-999, 999, shape).astype(np.int16)
    return Image(values, geometry)


def test_dimension_and_names_follow_from_the_array() -> None:
    flat = Image.from_array(np.zeros((4, 5)))
    assert (flat.array.shape, flat.dimension) == ((1, 1, 4, 5), 2)
    solid = Image.from_array(np.zeros((2, 3, 4, 5)), spacing_mm=(1, 2, 3))
    assert (solid.dimension, solid.channel_names) == (3, ("channel 1", "channel 2"))
    assert solid.geometry.spacing_mm == (1.0, 2.0, 3.0)
    photo = Image.from_array(np.zeros((3, 1, 4, 5), np.uint8), channel_names=RGB_NAMES)
    assert photo.is_rgb
    assert not solid.is_rgb
    slab = Image(np.zeros((1, 1, 4, 5)), Geometry((1, 4, 5)), dimension=3)
    assert slab.dimension == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: Image(np.zeros((4, 5)), Geometry((1, 4, 5))),
        lambda: Image(np.zeros((1, 2, 4, 5)), Geometry((1, 4, 5))),
        lambda: Image(np.zeros((1, 1, 4, 5), complex), Geometry((1, 4, 5))),
        lambda: Image(np.zeros((2, 1, 4, 5)), Geometry((1, 4, 5)), ("one",)),
        lambda: Image(np.zeros((1, 2, 4, 5)), Geometry((2, 4, 5)), dimension=2),
        lambda: Image.from_array(np.zeros(4)),
        lambda: Image.stack([]),
        lambda: noise(grid()).channel(1),
    ],
)
def test_what_is_no_image_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_crop_keeps_each_voxel_in_its_place(kind: dict[str, bool]) -> None:
    image = noise(grid(**kind))
    part = image.crop((slice(1, 3), slice(2, 6), slice(3, 9)))
    back = part.resampled(image.geometry, "nearest", outside=-2000)
    inside = np.zeros(image.array.shape, bool)
    inside[:, 1:3, 2:6, 3:9] = True
    assert np.array_equal(back.array[inside], image.array[inside])
    assert (back.array[~inside] == -2000).all()


def test_content_hash_sees_voxels_type_and_place_but_not_memory_layout() -> None:
    image = noise(grid())
    same = Image(np.asfortranarray(image.array), image.geometry, path=Path("elsewhere"))
    assert same.content_hash() == image.content_hash()
    changed = image.array.copy()
    changed[0, 2, 3, 4] += 1
    others = [
        Image(changed, image.geometry),
        Image(image.array.astype(np.int32), image.geometry),
        Image(image.array, grid(oblique=True)),
    ]
    assert len({other.content_hash() for other in others} | {image.content_hash()}) == 4


def test_channels_are_stacked_on_the_first_grid(tmp_path: Path) -> None:
    first = noise(grid((6, 8, 9), oblique=True), 1)
    second = noise(grid((7, 8, 6), anisotropic=True), 2)
    first.write(tmp_path / "flair.nrrd")
    second.write(tmp_path / "t1.nii.gz")
    image = Image.read([tmp_path / "flair.nrrd", tmp_path / "t1.nii.gz"])
    assert image.channel_names == ("flair", "t1")
    assert image.geometry == Image.read(tmp_path / "flair.nrrd").geometry
    assert np.array_equal(image.channel(0).array, first.array)
    expected = Image.read(tmp_path / "t1.nii.gz").resampled(image.geometry)
    assert np.array_equal(image.channel(1).array, expected.array)
    assert image.channel(-1).channel_names == ("t1",)


def test_channels_with_one_name_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    noise(grid()).write(tmp_path / "mr.nrrd")
    noise(grid()).write(tmp_path / "a" / "mr.nrrd")
    image = Image.read([tmp_path / "mr.nrrd", str(tmp_path / "a" / "mr.nrrd")])
    assert image.channel_names == ("mr", "mr 2")


def test_channels_elsewhere_in_space_are_refused(tmp_path: Path) -> None:
    noise(grid()).write(tmp_path / "here.nrrd")
    far = Geometry((5, 7, 9), origin_lps=(500.0, 0.0, 0.0))
    noise(far).write(tmp_path / "far.nrrd")
    with pytest.raises(GeometryError, match=r"far\.nrrd does not overlap .* here\.nrrd"):
        Image.read([tmp_path / "here.nrrd", tmp_path / "far.nrrd"])


def test_a_thin_stack_inside_a_large_one_overlaps() -> None:
    large = noise(Geometry((300, 4, 4)))
    small = noise(Geometry((2, 4, 4), origin_lps=(0.0, 0.0, 150.0)))
    assert len(Image.stack([large, small]).array) == 2
    assert len(Image.stack([small, large]).array) == 2


def test_a_picture_and_a_volume_are_no_channels_of_one_image() -> None:
    flat = noise(Geometry((1, 7, 9)))
    with pytest.raises(GeometryError, match="2D"):
        Image.stack([noise(grid()), flat])
