import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.embedding import embed_image
from DiffusionSegLib.methods.cdal.recipe import Recipe
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.progress import Progress
from Testing.Library.toy_model import smooth_image, write_toy

SPACE = Geometry((6, 20, 16), (1.0, 1.0, 2.0), (3.0, -4.0, 5.0))


def embed(entry, image, region=None):
    return embed_image(entry, Recipe.of(entry), image, region, Progress.silent())


def test_a_volume_is_brought_to_the_models_spacing(tmp_path):
    found = embed(write_toy(tmp_path, "volume"), smooth_image(SPACE))
    assert found.geometry == SPACE
    assert found.dimension == 3
    assert found.grid.spacing_mm == pytest.approx((1, 1, 1))
    assert found.grid.shape_kji == (12, 20, 16)
    assert found.source.shape == found.grid.shape_kji
    low, high = np.array(found.grid.extent_ras_mm()), np.array(SPACE.extent_ras_mm())
    assert low == pytest.approx(high)


def test_a_region_is_all_that_is_looked_at(tmp_path):
    entry, image = write_toy(tmp_path, "volume"), smooth_image(SPACE)
    center = SPACE.kji_to_ras([3, 10, 8])[0]
    found = embed(entry, image, Box(tuple(center), (6.1, 8.1, 8.1)))
    assert found.geometry == SPACE
    low, high = found.grid.extent_ras_mm()
    assert np.subtract(high, low) == pytest.approx((7, 9, 10))  # whole voxels
    assert (np.add(low, high) / 2) == pytest.approx(center)
    changed = smooth_image(SPACE)
    changed.array[:, 0] = 30_000  # outside the region: neither seen nor in the limits
    again = embed(entry, changed, Box(tuple(center), (6.1, 8.1, 8.1)))
    assert again.source.intensity == found.source.intensity
    window = ((0, 0, 0), found.source.shape)
    assert np.array_equal(again.source.take(*window), found.source.take(*window))


def test_a_plane_model_keeps_a_pictures_pixels(tmp_path):
    image = smooth_image(Geometry((1, 20, 16)))
    found = embed(write_toy(tmp_path, "gray"), image)
    assert found.dimension == 2
    assert found.grid == image.geometry
    assert np.shares_memory(found.source.array, image.array)


def test_a_volume_model_refuses_a_single_slice(tmp_path):
    with pytest.raises(InputError, match="outlines volumes, but this image has a single slice"):
        embed(write_toy(tmp_path, "volume"), smooth_image(Geometry((1, 20, 16))))


def test_progress_ends_at_one(tmp_path):
    reports = []
    entry = write_toy(tmp_path, "gray")
    image = smooth_image(Geometry((1, 20, 16)))
    embed_image(entry, Recipe.of(entry), image, None, Progress(reports.append))
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert reports[0].stage == "Preparing the image"
