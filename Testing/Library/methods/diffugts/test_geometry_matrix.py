"""One picture and one volume stored in every way: the same outline at the same place in the world.

A model of two dimensions sees slices as they are stored: turned ones are other pictures to its
networks, and where regions are cut off at the border of a canvas pixels move. So a few pixels of
the border may differ; the outline is the same. A model of three dimensions is shown a volume
upright however it is stored, and its answer is the same to the voxel.
"""

from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.geometries import KIND_NAMES, KINDS, grid
from Testing.Library.methods.diffugts.toys import (
    ball,
    click,
    dice,
    head,
    toy_session,
    write_models,
)

CENTER = (3.0, -5.0, 8.0)
LEAST = 0.85  # between two storages of a 2D picture, of lesions of a hundred pixels


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = write_models(tmp_path_factory.mktemp("models"), volume=True)
    return {name: toy_session(folder, name, samples=1) for name in ("plain", "volume")}


def around(geometry, center_ras=CENTER):
    """The same grid with its middle at a place."""
    middle = (np.array(geometry.shape_kji) - 1) / 2
    shift_ras = np.asarray(center_ras) - geometry.kji_to_ras([middle])[0]
    return replace(
        geometry, origin_lps=tuple(np.asarray(geometry.origin_lps) + shift_ras * (-1, -1, 1))
    )


@pytest.mark.parametrize("kind", KINDS[::5], ids=KIND_NAMES[::5])
def test_a_volume_on_every_kind_of_grid(sessions, kind):
    shape = (6, 40, 44) if kind["anisotropic"] else (8, 36, 36)
    image, inside = ball(around(grid(shape, **kind)), CENTER, (6, 5, 3), (13, 15, 40))
    session = sessions["plain"]
    session.set_image(image)
    found = session.propose(Prompt(points=[CENTER]))
    assert found.mask().geometry == image.geometry
    assert dice(found.mask().array, inside) >= 0.6
    refined = session.refine(Mask(inside.astype(np.uint8), image.geometry))
    assert dice(refined.mask().array, inside) >= 0.6


@pytest.mark.parametrize("kind", KINDS[::4], ids=KIND_NAMES[::4])
def test_a_slice_that_lies_anyhow_in_the_world(sessions, kind):
    """Its pixels alone decide: to the bit where they are square, as they are stored."""
    flat, _ = head(48, 56)
    session = sessions["plain"]
    session.set_image(flat)
    expected = session.propose(Prompt(points=[click(flat, 0, 19, 35)]))
    slanted = Image(flat.array, grid((1, 48, 56), **{**kind, "anisotropic": False}), dimension=2)
    session.set_image(slanted)
    found = session.propose(Prompt(points=[click(slanted, 0, 19, 35)]))
    assert found.mask().geometry == slanted.geometry
    np.testing.assert_allclose(found.probability.array, expected.probability.array, atol=2e-3)


def stored(array, axes, signs):
    """(channels, ...) with its three axes exchanged and turned."""
    turned = array[(slice(None), *(slice(None, None, sign) for sign in signs))]
    return np.ascontiguousarray(turned.transpose(0, *(1 + axis for axis in axes)))


def stored_image(image, axes, signs):
    """The same voxels at the same places, stored along other axes."""
    matrix = image.geometry.ijk_to_lps.copy()
    for axis, sign in enumerate(signs):  # axis of (k, j, i)
        if sign < 0:
            matrix[:3, 3] += matrix[:3, 2 - axis] * (image.geometry.shape_kji[axis] - 1)
            matrix[:3, 2 - axis] *= -1
    columns = [2 - axis for axis in reversed(axes)]
    matrix[:3, :3] = matrix[:3, columns]
    array = stored(image.array, axes, signs)
    geometry = Geometry.from_ijk_to_lps(array.shape[1:], matrix)
    return Image(array, geometry, image.channel_names, dimension=image.dimension)


@pytest.mark.parametrize(
    ("axes", "signs"), [((0, 1, 2), (1, -1, -1)), ((0, 2, 1), (1, 1, 1)), ((0, 2, 1), (1, 1, -1))]
)
def test_a_picture_stored_along_other_axes(sessions, axes, signs):
    image, inside = head(56, 64)
    point = click(image, 0, 23, 40)
    session = sessions["plain"]
    session.set_image(image)
    expected = stored(session.propose(Prompt(points=[point])).mask().array[None], axes, signs)[0]
    turned = stored_image(image, axes, signs)
    session.set_image(turned)
    found = session.propose(Prompt(points=[point]))
    assert dice(found.mask().array, expected) >= LEAST
    assert dice(found.mask().array, stored(inside[None], axes, signs)[0]) >= 0.6


@pytest.mark.parametrize(
    ("axes", "signs"),
    [((0, 1, 2), (-1, 1, 1)), ((2, 0, 1), (1, -1, -1)), ((1, 2, 0), (-1, -1, 1))],
)
def test_a_volume_for_three_dimensions_stored_along_other_axes(sessions, axes, signs):
    geometry = around(Geometry((24, 28, 32), (1.0, 1.0, 1.0)))
    image, inside = ball(geometry, CENTER, (7, 6, 5), (14, 13, 11))
    session = sessions["volume"]
    session.set_image(image)
    mask = Mask(inside.astype(np.uint8), image.geometry)
    expected = [session.propose(Prompt(points=[CENTER])), session.refine(mask, original=mask)]
    turned = stored_image(image, axes, signs)
    session.set_image(turned)
    mask = Mask(stored(inside[None], axes, signs)[0].astype(np.uint8), turned.geometry)
    found = [session.propose(Prompt(points=[CENTER])), session.refine(mask, original=mask)]
    for one, other in zip(found, expected, strict=True):
        wanted = stored(other.probability.array, axes, signs)
        np.testing.assert_allclose(one.probability.array, wanted, atol=5e-3)
        assert one.mask().array.any()
