"""Every kind of grid, volume transform and segmentation transform: nothing moves."""

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.segments import readSegments, writeSegment
from DiffusionSegBridge.volumes import imageFromVolumes, worldGeometry
from Testing.Slicer.Bridge.made import (
    GRIDS,
    TRANSFORMS,
    segmentation,
    shape,
    transform,
    volume,
    world_of_mask,
    world_of_voxels,
)

pytestmark = pytest.mark.slicer
CLOSE_MM = 0.01
OTHERS = [name for name in TRANSFORMS if name != "none"]


@pytest.mark.parametrize("kind", GRIDS)
def test_an_image_lies_where_slicer_shows_the_volume(scene: Any, kind: str) -> None:
    for name in TRANSFORMS:
        node = volume(scene, GRIDS[kind], parent=transform(scene, name))
        image = imageFromVolumes([node])
        every = np.ones(GRIDS[kind].shape_kji)
        ours = image.geometry.kji_to_ras(np.argwhere(every))
        theirs = world_of_mask(every, node)
        assert np.abs(_paired(ours) - theirs).max() < CLOSE_MM, name
        assert np.array_equal(image.array[0].ravel(), np.arange(every.size)), name


@pytest.mark.parametrize("kind", GRIDS)
def test_a_segment_lies_where_the_mask_lies(scene: Any, kind: str) -> None:
    for above, below in _pairs():
        volume_parent, segmentation_parent = _parents(scene, above, below)
        node = volume(scene, GRIDS[kind], parent=volume_parent)
        target = segmentation(scene, segmentation_parent)
        mask = shape()
        geometry = worldGeometry(node)
        writeSegment(mask, geometry, target, "a")
        ours, wanted = world_of_voxels(target, "a"), world_of_mask(mask, node)
        assert ours.shape == wanted.shape, (above, below)
        assert np.abs(ours - wanted).max() < CLOSE_MM, (above, below)
        again = readSegments(target, {1: "a"}, geometry)
        assert np.array_equal(again.array, mask), (above, below)


@pytest.mark.parametrize("kind", GRIDS)
def test_slicers_own_reader_sees_the_same_voxels(scene: Any, kind: str) -> None:
    """Where it is exact: between two transform nodes it resamples, which loses voxels."""
    import slicer

    for above, below in _pairs():
        if above != "none" and below not in ("none", "same"):
            continue
        volume_parent, segmentation_parent = _parents(scene, above, below)
        node = volume(scene, GRIDS[kind], parent=volume_parent)
        target = segmentation(scene, segmentation_parent)
        mask = shape()
        writeSegment(mask, worldGeometry(node), target, "a")
        seen = slicer.util.arrayFromSegmentBinaryLabelmap(target, "a", node)
        assert np.array_equal(seen, mask), (above, below)


def test_slicers_own_writer_moves_what_ours_leaves_in_place(scene: Any) -> None:
    """`updateSegmentBinaryLabelmapFromArray` applies the transform twice; ours must not."""
    import slicer

    node = volume(scene, GRIDS["anisotropic"], parent=transform(scene, "rigid"))
    target = segmentation(scene, segments=2)
    mask = shape()
    wanted = world_of_mask(mask, node)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, target, "a", node)
    theirs = world_of_voxels(target, "a")
    writeSegment(mask, worldGeometry(node), target, "b")
    assert np.abs(world_of_voxels(target, "b") - wanted).max() < CLOSE_MM
    assert np.linalg.norm(theirs.mean(axis=0) - wanted.mean(axis=0)) > 5.0


def test_a_transform_chain_counts_as_a_whole(scene: Any) -> None:
    chain = transform(scene, "sheared", transform(scene, "mirrored", transform(scene, "rigid")))
    node = volume(scene, GRIDS["oblique+anisotropic+left_handed"], parent=chain)
    target = segmentation(scene, transform(scene, "other rigid", chain))
    mask = shape()
    writeSegment(mask, worldGeometry(node), target, "a")
    assert np.abs(world_of_voxels(target, "a") - world_of_mask(mask, node)).max() < CLOSE_MM


def _pairs() -> list[tuple[str, str]]:
    """Transform of the volume, transform of the segmentation ("same": the very same node)."""
    return [(above, below) for above in TRANSFORMS for below in ("none", "same", *OTHERS)]


def _parents(scene: Any, above: str, below: str) -> tuple[Any, Any]:
    first = transform(scene, above)
    return first, first if below == "same" else transform(scene, below)


def _paired(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(points.round(4).T)]
