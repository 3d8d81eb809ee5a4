import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.standing import standing_geometry

SHAPE = (9, 14, 11)
SPACING = (1.5, 0.8, 2.0)
ORIGIN = (-20.0, 35.0, 7.0)
ORDERS = list(itertools.permutations(range(3)))
FLIPS = list(itertools.product([False, True], repeat=3))
storages = st.tuples(st.sampled_from(ORDERS), st.sampled_from(FLIPS))


def turn_about(axis: int, degrees: float) -> np.ndarray:
    a, b = [n for n in range(3) if n != axis]
    matrix = np.eye(3)
    angle = np.radians(degrees)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


OBLIQUE = turn_about(2, 20) @ turn_about(0, -15)


def volume(direction: np.ndarray, seed: int = 0) -> Image:
    array = np.random.default_rng(seed).integers(-500, 500, (2, *SHAPE)).astype(np.int16)
    rows = tuple(tuple(row) for row in direction)
    return Image(array, Geometry(SHAPE, SPACING, ORIGIN, rows), dimension=3)


def stored(image: Image, order: tuple[int, ...], flips: tuple[bool, ...]) -> Image:
    """The same voxels at the same places, with axes stored in another order and direction.

    order, flips: along the new k, j, i. An odd change gives a left-handed grid.
    """
    array = np.transpose(image.array, (0, *(1 + axis for axis in order)))
    matrix = image.geometry.ijk_to_lps.copy()
    columns_kji = matrix[:3, 2::-1][:, list(order)].T.copy()
    origin = matrix[:3, 3].copy()
    for axis, flip in enumerate(flips):
        if flip:
            array = np.flip(array, 1 + axis)
            origin += columns_kji[axis] * (array.shape[1 + axis] - 1)
            columns_kji[axis] *= -1
    matrix[:3, :3], matrix[:3, 3] = columns_kji[::-1].T, origin
    geometry = Geometry.from_ijk_to_lps(array.shape[1:], matrix)
    return Image(np.ascontiguousarray(array), geometry, dimension=3)


GRIDS = {
    "as fine": ModelGrid("spacing", (8, 8, 8), SPACING),
    "finer": ModelGrid("spacing", (8, 8, 8), (0.9, 0.7, 0.9)),
    "coarser": ModelGrid("spacing", (8, 8, 8), (4.0, 4.0, 4.0)),
    "much coarser along one axis": ModelGrid("spacing", (8, 8, 8), (1.5, 1.7, 2.0)),
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=list(GRIDS))
@given(storages)
def test_storage_does_not_change_what_the_model_sees(grid, storage):
    image = volume(np.eye(3))
    wanted, found = grid.to_model(image), grid.to_model(stored(image, *storage))
    assert found.geometry.is_close(wanted.geometry)
    assert np.array_equal(found.array, wanted.array)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=list(GRIDS))
@given(storages)
def test_storage_does_not_matter_for_oblique_volumes_either(grid, storage):
    image = volume(OBLIQUE)
    image = Image(image.array.astype(np.float32), image.geometry, dimension=3)
    wanted, found = grid.to_model(image), grid.to_model(stored(image, *storage))
    assert found.geometry.is_close(wanted.geometry)
    assert np.allclose(found.array, wanted.array, atol=0.02)  # of values of about 500


@given(storages)
def test_a_grid_of_the_same_spacing_moves_voxels_without_changing_them(storage):
    image = volume(OBLIQUE)
    found = GRIDS["as fine"].to_model(stored(image, *storage))
    assert found.geometry.shape_kji == SHAPE
    assert np.array_equal(found.array, image.array)


@given(storages)
def test_what_is_found_on_the_model_grid_lies_at_its_place_in_the_image(storage):
    image = stored(volume(OBLIQUE), *storage)
    grid = GRIDS["finer"].geometry(image.geometry)
    centre_ras = image.geometry.kji_to_ras((np.array(image.geometry.shape_kji) - 1) / 2)[0]
    centre_ras += np.array([1.0, -1.0, 0.7])
    index = np.stack(np.indices(grid.shape_kji), axis=-1).reshape(-1, 3)
    distance = np.linalg.norm(grid.kji_to_ras(index) - centre_ras, axis=1)
    ball = np.exp(-((distance / 1.5) ** 2)).reshape(1, *grid.shape_kji).astype(np.float32)
    back = Image(ball, grid, dimension=3).resampled(image.geometry)
    places = np.stack(np.indices(image.geometry.shape_kji), axis=-1).reshape(-1, 3)
    weights = back.array.ravel() / back.array.sum()
    found_ras = weights @ image.geometry.kji_to_ras(places)
    assert found_ras == pytest.approx(centre_ras, abs=0.05)


@given(storages, st.sampled_from([np.eye(3), OBLIQUE]))
def test_standing_axes_point_to_left_posterior_superior(storage, direction):
    image = stored(volume(direction), *storage)
    standing = standing_geometry(image.geometry)
    assert (np.diag(np.asarray(standing.direction)) > 0.8).all()
    assert standing.is_right_handed
    assert sorted(standing.shape_kji) == sorted(SHAPE)
    ours, theirs = standing.corners_ras(), image.geometry.corners_ras()
    assert all(np.linalg.norm(theirs - corner, axis=1).min() < 1e-6 for corner in ours)


@given(st.floats(-180, 180), st.floats(-180, 180), st.floats(-180, 180))
def test_any_direction_finds_a_standing_one(a, b, c):
    direction = turn_about(0, a) @ turn_about(1, b) @ turn_about(2, c)
    standing = standing_geometry(volume(direction).geometry)
    matrix = np.asarray(standing.direction)
    # Each world axis is served by another storage axis, and none points backwards.
    assert (np.diag(matrix) >= -1e-9).all()
    assert np.allclose(abs(np.linalg.det(matrix)), 1)


def test_averaging_comes_before_a_much_coarser_grid():
    """A fine pattern averages out; picking single voxels would leave stripes."""
    array = np.indices((24, 24, 24)).sum(axis=0)[None] % 2 * 100
    image = Image(array.astype(np.uint8), Geometry((24, 24, 24)), dimension=3)
    found = ModelGrid("spacing", (4, 4, 4), (4.0, 4.0, 4.0)).to_model(image)
    assert found.array == pytest.approx(50, abs=1e-3)


def test_native_and_fitted_grids():
    image = Image(np.zeros((3, 1, 30, 50), np.uint8), Geometry((1, 30, 50)), dimension=2)
    native = ModelGrid("native", (1, 16, 16))
    assert native.to_model(image) is image
    fitted = ModelGrid("fit", (1, 16, 16)).to_model(image)
    assert fitted.geometry.shape_kji == (1, 16, 16)
    assert np.allclose(fitted.geometry.corners_ras(), image.geometry.corners_ras())
    assert fitted.dimension == 2


def test_pictures_of_a_spaced_grid_keep_their_axes():
    image = Image(np.zeros((1, 1, 30, 50), np.uint8), Geometry((1, 30, 50)), dimension=2)
    found = ModelGrid("spacing", (1, 16, 16), (2.0, 2.0, 2.0)).to_model(image)
    assert found.geometry.shape_kji == (1, 15, 25)


@pytest.mark.parametrize(
    ("shape", "window"),
    [((1, 40, 40), (1, 40, 40)), ((1, 37, 70), (1, 40, 16)), ((3, 5, 5), (1, 16, 16))],
)
def test_an_image_up_to_the_largest_size_is_one_window(shape, window):
    grid = ModelGrid("native", (1, 16, 16), largest_kji=(1, 64, 64))
    assert grid.window_for(shape, stride=8) == window
    assert ModelGrid("native", (1, 16, 16)).window_for(shape, stride=8) == (1, 16, 16)


def test_cards_describe_grids():
    values = {"kind": "spacing", "window_kji": [32, 32, 32], "spacing_mm": [1, 1, 2]}
    grid = ModelGrid.from_dict({**values, "overlap": 0.5, "largest_kji": [64, 64, 64]})
    assert grid.is_volumetric
    assert (grid.window_kji, grid.spacing_mm) == ((32, 32, 32), (1, 1, 2))
    assert (grid.overlap, grid.largest_kji) == (0.5, (64, 64, 64))
    assert not ModelGrid.from_dict({"kind": "native", "window_kji": [1, 8, 8]}).is_volumetric


@pytest.mark.parametrize("wrong", [("slice", None), ("spacing", None), ("native", (1.0, 1.0, 1.0))])
def test_contradictory_grids_are_refused(wrong):
    with pytest.raises(ValueError, match="grid"):
        ModelGrid(wrong[0], (1, 8, 8), wrong[1])
