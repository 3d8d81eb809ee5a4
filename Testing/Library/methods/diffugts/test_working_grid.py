"""The grid of a backbone over images of every kind, and what of an image arrives there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid, padded, trimmed
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.image import Image
from Testing.Library.geometries import KIND_NAMES, KINDS, grid, rotation

SAGITTAL = as_direction([[0, 0, 1], [1, 0, 0], [0, -1, 0]])


def wave(geometry):
    """A soft wave in the world, on any grid."""
    places = np.indices(geometry.shape_kji).reshape(3, -1).T
    ras = geometry.kji_to_ras(places)
    values = np.sin(ras @ [0.11, 0.07, 0.05]) * 100
    return Image(values.reshape(1, *geometry.shape_kji).astype(np.float32), geometry)


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
@pytest.mark.parametrize("working", [WorkingGrid(2, 40), WorkingGrid(3, spacing_mm=(1, 1, 1))])
def test_what_lies_at_a_place_lies_there_on_the_grid(kind, working):
    image = wave(grid((12, 20, 24), **kind))
    found = working.on_grid(image)
    assert found.geometry == working.geometry(image.geometry) and found.array.dtype == np.float32
    inner = tuple(slice(2, -2) for _ in range(3))
    wanted = wave(found.geometry).array[0][inner]
    places = np.indices(found.geometry.shape_kji)[(slice(None), *inner)].reshape(3, -1).T
    within = image.geometry.ras_to_kji(found.geometry.kji_to_ras(places))
    inside = ((within >= 0) & (within <= np.array(image.geometry.shape_kji) - 1)).all(axis=1)
    difference = np.abs(found.array[0][inner] - wanted).reshape(-1)[inside]
    assert inside.mean() > 0.5 and difference.max() < 12  # of 200: linear interpolation


@pytest.mark.parametrize("turned", [np.eye(3), np.array(SAGITTAL)], ids=["axial", "sagittal"])
def test_slices_lie_along_the_first_axis_with_square_pixels(turned):
    geometry = Geometry((7, 40, 30), (0.5, 1.0, 5.0), (0, 0, 0), as_direction(turned))
    found = WorkingGrid(2, 80).geometry(geometry)
    assert found.shape_kji[0] == 7 and found.spacing_mm[2] == 5.0
    assert found.spacing_mm[0] == pytest.approx(found.spacing_mm[1]) == pytest.approx(0.5)
    assert found.shape_kji[1:] == (80, 30)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_volume_is_sliced_across_its_thickest_slices(axis):
    """Wherever they are stored."""
    shape, spacing = [30, 30, 30], [1.0, 1.0, 1.0]
    shape[axis], spacing[2 - axis] = 6, 5.0
    geometry = Geometry(tuple(shape), tuple(spacing))
    found = WorkingGrid(2, 30).geometry(geometry)
    assert found.shape_kji == (6, 30, 30)
    across = found.ijk_to_lps[:3, 2]
    assert np.abs(across @ geometry.ijk_to_lps[:3, 2 - axis]) == pytest.approx(25.0)


def test_an_oblique_volume_keeps_its_slices():
    geometry = Geometry((9, 24, 24), (1, 1, 4), (5, 6, 7), as_direction(rotation((20, -15, 30))))
    found = WorkingGrid(2, 24).geometry(geometry)
    assert found.is_close(geometry)
    upright = WorkingGrid(3, spacing_mm=(1, 1, 1)).geometry(geometry)
    assert upright.shape_kji == (36, 24, 24)  # 4 mm slices become 1 mm; axes stay its own


def test_a_volume_for_three_dimensions_stands_upright():
    """Stored head first or feet first, left or right first: the same voxels in the same order."""
    plain = Geometry((6, 8, 10), (1, 1.5, 2))
    image = wave(plain)
    matrix = plain.ijk_to_lps.copy()
    matrix[:3, 3] += matrix[:3, 0] * 9 + matrix[:3, 2] * 5
    matrix[:3, [0, 2]] *= -1
    order = [1, 2, 0]  # stored i, j, k are its j, k, i
    other = matrix.copy()
    other[:3, :3] = matrix[:3, order]
    array = image.array[:, ::-1, :, ::-1].transpose(0, 3, 1, 2)
    stored = Image(np.ascontiguousarray(array), Geometry.from_ijk_to_lps(array.shape[1:], other))
    working = WorkingGrid(3)
    found = working.on_grid(stored)
    assert found.geometry.is_close(plain)
    np.testing.assert_allclose(found.array, image.array, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "wanted"), [((1, 50, 100), (1, 32, 64)), ((1, 9, 200), (1, 3, 64))]
)
def test_a_picture_s_longer_side_is_given(shape, wanted):
    assert WorkingGrid(2, 64).geometry(Geometry(shape)).shape_kji == wanted


def test_colors_become_gray():
    rgb = np.zeros((3, 1, 16, 16), np.uint8)
    rgb[0], rgb[1], rgb[2] = 30, 60, 120
    image = Image(rgb, Geometry((1, 16, 16)), ("red", "green", "blue"))
    np.testing.assert_allclose(WorkingGrid(2, 16).on_grid(image).array, 70, atol=1e-4)


@given(st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.sampled_from([1, 4, 8])] * 3))
def test_what_was_padded_is_trimmed(shape, multiples):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = padded(values, multiples)
    sides = tuple(found.shape[2:])
    assert all(side % n == 0 for side, n in zip(sides, multiples, strict=True))
    assert all(new - old < n for new, old, n in zip(sides, shape, multiples, strict=True))
    assert np.array_equal(trimmed(found[0, 0], shape), values)
    corner = tuple(side - 1 for side in sides)
    assert float(found[0, 0][corner]) == values[tuple(n - 1 for n in shape)]


@pytest.mark.parametrize(
    "broken",
    [
        {"spacing_mm": [1, 2]}, {"side": "large"}, {"spacing_mm": 3}, {"side": 0}, {"side": 1e400},
        {"side": None}, {"spacing_mm": [1, 0, 1]}, {"spacing_mm": ["1", 1, 1]}, "grid", [160],
    ],
)  # fmt: skip
def test_a_card_s_grid_is_checked(broken):
    with pytest.raises(ModelError, match="grid"):
        WorkingGrid.from_dict(3, broken)
    assert WorkingGrid.from_dict(2, {}) == WorkingGrid(2, 192, None)
