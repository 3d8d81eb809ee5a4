import numpy as np
import pytest
import torch

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.diffugts.embedding import as_batch, as_volume, embed_image
from DiffusionSegLib.methods.diffugts.intensities import IntensityRule
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box
from Testing.Library.methods.diffugts.backbones import plane_backbone
from Testing.Library.methods.diffugts.toys import head

RULE, GRID = IntensityRule((-160, 240), (0, 100)), WorkingGrid(2, 50)
IMAGE, _ = head(40, 50)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return plane_backbone(tmp_path_factory.mktemp("models"))


def test_a_picture_is_padded_to_the_network_s_multiple(backbone):
    found = embed_image(IMAGE, None, backbone, GRID, RULE)
    picture = found.read_as("auto").picture
    side = backbone.multiple
    assert found.grid.shape_kji == (1, 40, 50)
    assert tuple(picture.shape) == (1, 1, 1, -(-40 // side) * side, -(-50 // side) * side)
    wanted = IMAGE.array[0].astype(np.float32) / 255
    np.testing.assert_allclose(picture[0, 0, :, :40, :50].numpy(), wanted, atol=1e-5)


def test_it_is_read_once_for_every_modality(backbone):
    scan = Image(IMAGE.array.astype(np.int16) * 4 - 400, IMAGE.geometry)
    found = embed_image(scan, None, backbone, GRID, RULE)
    ct, mr = found.read_as("ct"), found.read_as("mr")
    assert found.read_as("ct") is ct and found.read_as("auto").modality.name == "ct"
    assert ct.intensities.name == "Hounsfield units" and mr.intensities.name == "percentiles"
    assert not torch.equal(ct.picture, mr.picture)


def test_a_region_is_cut_out_and_its_intensities_are_its_own(backbone):
    scan = Image(IMAGE.array.astype(np.float32), IMAGE.geometry)
    corners = IMAGE.geometry.kji_to_ras([[0, 4, 20], [0, 23, 43]])
    found = embed_image(scan, Box.from_corners(*corners), backbone, GRID, RULE)
    assert found.source.geometry == IMAGE.geometry.crop((slice(0, 1), slice(4, 24), slice(20, 44)))
    assert found.geometry == IMAGE.geometry and found.grid.shape_kji[2] == 50
    part = scan.array[0, 0, 4:24, 20:44]
    reading = found.read_as("mr")
    assert (reading.intensities.low, reading.intensities.high) == (part.min(), part.max())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_only_where_it_is_looked_at(backbone, value):
    array = IMAGE.array.astype(np.float32)
    array[0, 0, 2, 2] = value
    image = Image(array, IMAGE.geometry)
    with pytest.raises(InputError, match="not numbers"):
        embed_image(image, None, backbone, GRID, RULE)
    corners = IMAGE.geometry.kji_to_ras([[0, 10, 10], [0, 35, 45]])
    found = embed_image(image, Box.from_corners(*corners), backbone, GRID, RULE)
    assert torch.isfinite(found.read_as("auto").picture).all()


def test_items_and_volumes_are_two_views_of_one_picture():
    picture = torch.arange(24.0).reshape(1, 1, 2, 3, 4)
    slices = as_batch(picture, 2)
    assert slices.shape == (2, 1, 3, 4) and torch.equal(slices[1, 0], picture[0, 0, 1])
    assert torch.equal(as_volume(slices[:, 0], 2), picture[0, 0])
    whole = as_batch(picture, 3)
    assert torch.equal(as_volume(whole[:, 0], 3), picture[0, 0])


def test_a_volume_keeps_its_slices(backbone):
    volume = Image(np.repeat(IMAGE.array, 3, axis=1), Geometry((3, 40, 50), (1, 1, 5)))
    found = embed_image(volume, None, backbone, GRID, RULE)
    assert found.multiples == (1, backbone.multiple, backbone.multiple)
    assert found.read_as("auto").picture.shape[2] == 3
