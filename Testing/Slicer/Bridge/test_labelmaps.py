"""Masks as oriented labelmaps, and how two grids lie to each other."""

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.labelmaps import (
    filledBlock,
    labelmapFor,
    labelmapGeometry,
    labelmapVoxels,
    wholeOffset,
)
from Testing.Slicer.Bridge.made import GRIDS, SHAPE, segmentation, transform

pytestmark = pytest.mark.slicer
GRID = GRIDS["oblique+anisotropic+left_handed"]


@pytest.mark.parametrize("above", ["none", "rigid", "sheared"])
def test_a_labelmap_holds_the_block_that_is_filled(scene: Any, above: str) -> None:
    node = segmentation(scene, transform(scene, above))
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:3, 2, 4:8] = 9
    labelmap = labelmapFor(mask, GRID, node)
    assert labelmap.GetExtent() == (4, 7, 2, 2, 1, 2)
    voxels = labelmapVoxels(labelmap)
    assert voxels.dtype == np.uint8 and voxels.shape == (2, 1, 4) and (voxels == 1).all()
    geometry = labelmapGeometry(labelmap, node)
    assert geometry is not None
    assert geometry.is_close(GRID.crop((slice(1, 3), slice(2, 3), slice(4, 8))), 1e-6)
    assert wholeOffset(geometry, GRID) == (1, 2, 4)


def test_an_empty_mask_is_one_empty_voxel(scene: Any) -> None:
    labelmap = labelmapFor(np.zeros(SHAPE, np.bool_), GRID, segmentation(scene))
    assert labelmapVoxels(labelmap).tolist() == [[[0]]]


def test_a_labelmap_without_voxels_has_no_geometry(scene: Any) -> None:
    import slicer

    assert labelmapGeometry(slicer.vtkOrientedImageData(), segmentation(scene)) is None


@pytest.mark.parametrize("kind", GRIDS)
def test_one_grid_in_another(kind: str) -> None:
    grid = GRIDS[kind]
    part = grid.crop((slice(2, 5), slice(1, 4), slice(3, 9)))
    assert wholeOffset(part, grid) == (2, 1, 3)
    assert wholeOffset(grid, part) == (-2, -1, -3)
    assert wholeOffset(grid, grid.with_shape([2 * count for count in SHAPE])) is None
    halved = grid.with_shape((SHAPE[0], SHAPE[1], 2 * SHAPE[2]))
    assert wholeOffset(halved, grid) is None


def test_grids_a_part_of_a_voxel_apart_are_not_one() -> None:
    assert wholeOffset(GRIDS["plain"], GRIDS["oblique"]) is None
    shifted = GRIDS["plain"].kji_to_ras([[0.0, 0.0, 0.01]])[0]
    matrix = GRIDS["plain"].ijk_to_ras.copy()
    matrix[:3, 3] = shifted
    assert wholeOffset(type(GRID).from_ijk_to_ras(SHAPE, matrix), GRIDS["plain"]) is None


@pytest.mark.parametrize("place", [(0, 0, 0), (4, 6, 8), (2, 3, 4)])
def test_the_block_of_one_voxel(place: tuple[int, int, int]) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[place] = 1
    assert filledBlock(mask) == tuple(slice(index, index + 1) for index in place)
    mask[1, 5, 2] = 255
    block = filledBlock(mask)
    assert block is not None and mask[block].sum() == mask.sum()


def test_no_block_of_nothing() -> None:
    assert filledBlock(np.zeros(SHAPE, np.uint8)) is None
