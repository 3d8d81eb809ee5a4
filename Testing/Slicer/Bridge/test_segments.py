"""Masks to segments and back: other segments, layers, reloading, refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.segments import (
    readSegments,
    segmentGeometry,
    segmentOf,
    uniqueSegmentName,
    writeSegment,
)
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.nouns.geometry import Geometry
from Testing.Slicer.Bridge.made import (
    GRIDS,
    SHAPE,
    bend,
    segmentation,
    shape,
    transform,
    volume,
    world_of_voxels,
)

pytestmark = pytest.mark.slicer
GRID = GRIDS["oblique+anisotropic+left_handed"]


def read(node: Any, segment_id: str, geometry: Geometry = GRID) -> np.ndarray:
    return readSegments(node, {1: segment_id}, geometry).array


@pytest.mark.parametrize("kind", [np.uint8, np.bool_])
def test_what_is_written_is_read(scene: Any, kind: type) -> None:
    node, mask = segmentation(scene), shape().astype(kind)
    writeSegment(mask, GRID, node, "a")
    assert np.array_equal(read(node, "a"), mask)


def test_any_value_above_zero_counts(scene: Any) -> None:
    node, mask = segmentation(scene), shape()
    writeSegment(mask * np.uint8(200), GRID, node, "a")
    assert np.array_equal(read(node, "a"), mask)


def test_writing_again_replaces_all_of_it(scene: Any) -> None:
    node = segmentation(scene)
    for seed in (1, 2):
        writeSegment(shape(seed=seed), GRID, node, "a")
    assert np.array_equal(read(node, "a"), shape(seed=2))


def test_an_empty_mask_empties_the_segment_only(scene: Any) -> None:
    node = segmentation(scene, segments=2)
    first, second = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    first[1, 1:3], second[3, 1:3] = 1, 1  # one layer holds both
    writeSegment(first, GRID, node, "a")
    writeSegment(second, GRID, node, "b")
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    writeSegment(np.zeros(SHAPE, np.uint8), GRID, node, "a")
    assert not read(node, "a").any()
    assert np.array_equal(read(node, "b"), second)


def test_a_segment_that_was_never_filled_is_empty(scene: Any) -> None:
    node = segmentation(scene)
    assert not read(node, "a").any()
    assert segmentGeometry(node, "a") is None
    writeSegment(np.zeros(SHAPE, np.uint8), GRID, node, "a")
    assert not read(node, "a").any()


def test_segments_that_overlap_keep_all_their_voxels(scene: Any) -> None:
    node = segmentation(scene, segments=4)
    masks = {letter: shape(seed=number) for number, letter in enumerate("abcd")}
    for letter, mask in masks.items():
        writeSegment(mask, GRID, node, letter)
    assert node.GetSegmentation().GetNumberOfLayers() > 1
    for letter, mask in masks.items():
        assert np.array_equal(read(node, letter), mask), letter
    for letter in "ba":  # changing one in a shared layer leaves the others
        masks[letter] = shape(seed=10 + ord(letter))
        writeSegment(masks[letter], GRID, node, letter)
    for letter, mask in masks.items():
        assert np.array_equal(read(node, letter), mask), letter


def test_a_segment_on_another_grid_does_not_coarsen_its_layer(scene: Any) -> None:
    """Slicer alone would resample the neighbour in the layer to the new grid."""
    node = segmentation(scene, segments=2)
    fine, coarse = GRID, GRID.with_shape((2, 3, 4))
    first, second = np.zeros(fine.shape_kji, np.uint8), np.zeros(coarse.shape_kji, np.uint8)
    first[0, ::2, 0] = 1
    second[1, 1:, 2:] = 1
    writeSegment(first, fine, node, "a")
    writeSegment(second, coarse, node, "b")
    assert np.array_equal(read(node, "a", fine), first)
    assert np.array_equal(read(node, "b", coarse), second)


def test_another_grid_is_read_at_the_nearest_voxel(scene: Any) -> None:
    node, mask = segmentation(scene), shape()
    writeSegment(mask, GRID, node, "a")
    twice = GRID.with_shape([2 * count for count in SHAPE])
    assert np.array_equal(read(node, "a", twice), mask.repeat(2, 0).repeat(2, 1).repeat(2, 2))


def test_only_what_lies_in_the_grid_is_read(scene: Any) -> None:
    node, mask = segmentation(scene), shape()
    writeSegment(mask, GRID, node, "a")
    part = (slice(1, 4), slice(2, 7), slice(3, 5))
    assert np.array_equal(read(node, "a", GRID.crop(part)), mask[part])
    far = Geometry(SHAPE, origin_lps=(1e4, 0.0, 0.0))
    assert not read(node, "a", far).any()
    beside = Geometry.from_ijk_to_ras(SHAPE, GRID.ijk_to_ras @ _shift(100, 0, 0))
    assert not read(node, "a", beside).any()


def test_several_segments_become_one_mask_with_labels(scene: Any) -> None:
    node = segmentation(scene, segments=3)
    first, third = shape(seed=1), shape(seed=3)
    writeSegment(first, GRID, node, "a")
    writeSegment(third, GRID, node, "c")
    node.GetSegmentation().GetSegment("c").SetTerminology("x~y^z")
    mask = readSegments(node, {7: "a", 3: "b", 2: "c"}, GRID)
    assert np.array_equal(mask.array, np.where(third, 2, 7 * first))  # the later wins
    assert [(label.value, label.name) for label in mask.labels] == [(7, "a"), (3, "b"), (2, "c")]
    assert mask.labels[1].color_rgb == pytest.approx((0.5, 0.1, 0.0))
    assert mask.labels[2].terminology == "x~y^z"


def test_only_a_block_is_changed_when_asked(scene: Any) -> None:
    node = segmentation(scene, transform(scene, "sheared"))
    before, after = shape(seed=1), shape(seed=2)
    block = (slice(1, 3), slice(0, 5), slice(4, 9))
    writeSegment(before, GRID, node, "a")
    writeSegment(after, GRID, node, "a", extentOnly=block)
    expected = before.copy()
    expected[block] = after[block]
    assert np.array_equal(read(node, "a"), expected)


def test_a_file_cut_to_what_is_filled_is_read_in_place(scene: Any, tmp_path: Path) -> None:
    node, mask = segmentation(scene, segments=2), np.zeros(SHAPE, np.uint8)
    mask[2:4, 3:5, 4:6] = shape((2, 2, 2))
    mask[3, 4, 5] = 1
    other = np.roll(mask, -2, axis=0)
    writeSegment(mask, GRID, node, "a")
    writeSegment(other, GRID, node, "b")
    again = _reloaded(scene, node, tmp_path / "x.seg.nrrd")
    loaded = again.GetSegmentation().GetSegment("a").GetRepresentation("Binary labelmap")
    assert loaded.GetNumberOfPoints() < GRID.voxel_count
    assert np.array_equal(read(again, "a"), mask)
    assert np.array_equal(read(again, "b"), other)
    larger = shape(seed=5)
    writeSegment(larger, GRID, again, "a")
    assert np.array_equal(read(again, "a"), larger)
    assert np.array_equal(read(again, "b"), other)


def test_two_grids_survive_saving(scene: Any, tmp_path: Path) -> None:
    """The file has one grid; the finer of two with the same corner holds both."""
    node = segmentation(scene, segments=2)
    coarse = Geometry((3, 4, 5), (2.0, 2.0, 2.0))
    fine = coarse.with_shape((6, 8, 10))
    first, second = shape(coarse.shape_kji), shape(fine.shape_kji)
    writeSegment(first, coarse, node, "a")
    writeSegment(second, fine, node, "b")
    again = _reloaded(scene, node, tmp_path / "x.seg.nrrd")
    assert np.array_equal(read(again, "a", coarse), first)
    assert np.array_equal(read(again, "b", fine), second)


def test_one_hundred_writes_leave_nothing_behind(scene: Any) -> None:
    node = segmentation(scene, segments=2)
    writeSegment(shape(), GRID, node, "a")
    before = scene.GetNumberOfNodes()
    for number in range(100):
        writeSegment(shape(seed=number % 3), GRID, node, "ab"[number % 2])
        readSegments(node, {1: "a", 2: "b"}, GRID)
    assert scene.GetNumberOfNodes() == before
    assert node.GetSegmentation().GetNumberOfLayers() <= 2


def test_writing_tells_the_views_once(scene: Any) -> None:
    import slicer

    node = segmentation(scene)
    writeSegment(shape(), GRID, node, "a")
    heard: list[str] = []
    event = slicer.vtkSegmentation.SourceRepresentationModified
    node.GetSegmentation().AddObserver(event, lambda *_: heard.append("changed"))
    writeSegment(shape(seed=1), GRID, node, "a")
    assert heard == ["changed"]
    writeSegment(np.zeros(SHAPE, np.uint8), GRID, node, "a")
    assert len(heard) == 2


def test_a_surface_shown_follows_the_voxels(scene: Any) -> None:
    node, mask = segmentation(scene), np.zeros(SHAPE, np.uint8)
    mask[1:3, 1:4, 1:4] = 1
    writeSegment(mask, GRID, node, "a")
    node.CreateClosedSurfaceRepresentation()
    small = _surface_volume(node)
    mask[1:4, 1:6, 1:8] = 1
    writeSegment(mask, GRID, node, "a")
    assert _surface_volume(node) > 2 * small


def test_a_segment_made_of_a_surface_can_be_read_but_not_written(scene: Any) -> None:
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "From a surface")
    node.SetSourceRepresentationToClosedSurface()
    ball = vtk.vtkSphereSource()
    ball.SetRadius(6.0)
    ball.SetThetaResolution(40)
    ball.SetPhiResolution(40)
    ball.Update()
    found = node.AddSegmentFromClosedSurfaceRepresentation(ball.GetOutput(), "Ball", [1, 0, 0])
    geometry = Geometry((20, 20, 20), (1.0, 1.0, 1.0), (-9.5, -9.5, -9.5))
    inside = read(node, found, geometry)
    assert inside.sum() == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.1)
    assert inside[10, 10, 10] and not inside[0, 0, 0]
    assert not node.GetSegmentation().ContainsRepresentation("Binary labelmap")
    with pytest.raises(InputError, match="'From a surface' is made of surfaces"):
        writeSegment(inside, geometry, node, found)


def test_a_missing_segment_is_named(scene: Any) -> None:
    node = segmentation(scene, name="Organs")
    for gone in ("gone", "", None):
        with pytest.raises(InputError, match="'Organs' has no segment"):
            segmentOf(node, gone)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="'Organs' has no segment"):
            read(node, gone)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="'Organs' has no segment"):
            writeSegment(shape(), GRID, node, gone)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="No segmentation is chosen"):
        segmentOf(None, "a")


def test_a_mask_of_another_size_is_refused(scene: Any) -> None:
    node = segmentation(scene)
    with pytest.raises(InputError, match=r"\(7, 5, 9\).*\(5, 7, 9\)"):
        writeSegment(np.ones((7, 5, 9), np.uint8), GRID, node, "a")
    assert not read(node, "a").any()


def test_a_transform_that_bends_is_refused(scene: Any) -> None:
    node = segmentation(scene, bend(scene), name="Bent")
    with pytest.raises(GeometryError, match="'Bent'"):
        writeSegment(shape(), GRID, node, "a")
    with pytest.raises(GeometryError, match="'Bent'"):
        read(node, "a")


def test_a_picture_is_one_slice(scene: Any) -> None:
    picture = volume(scene, Geometry((1, 6, 8)))
    node, mask = segmentation(scene), shape((1, 6, 8))
    writeSegment(mask, worldGeometry(picture), node, "a")
    assert np.array_equal(read(node, "a", worldGeometry(picture)), mask)
    assert len(world_of_voxels(node, "a")) == mask.sum()


def test_micrometres_are_told_apart(scene: Any) -> None:
    """Slicer takes grids for the same when no number of their matrix differs by 0.0001."""
    node = segmentation(scene, segments=2)
    first = Geometry(SHAPE, (1e-4, 1e-4, 1e-4))
    second = Geometry(SHAPE, (1.5e-4, 1.5e-4, 1.5e-4))
    one, two = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    one[0, 0, :3], two[4, 6, 5:] = 1, 1
    writeSegment(one, first, node, "a")
    writeSegment(two, second, node, "b")
    assert np.array_equal(read(node, "a", first), one)
    assert np.array_equal(read(node, "b", second), two)


def test_names_stay_unique(scene: Any) -> None:
    node = segmentation(scene, segments=2)
    assert uniqueSegmentName(node, "Liver") == "Liver"
    node.GetSegmentation().GetSegment("a").SetName("Liver")
    assert uniqueSegmentName(node, "Liver") == "Liver 2"
    node.GetSegmentation().GetSegment("b").SetName("Liver 2")
    assert uniqueSegmentName(node, "Liver") == "Liver 3"


def _shift(i: int, j: int, k: int) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = (i, j, k)
    return matrix


def _reloaded(scene: Any, node: Any, path: Path) -> Any:
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    storage.SetCropToMinimumExtent(True)
    assert storage.WriteData(node) == 1
    again = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(again) == 1
    return again


def _surface_volume(node: Any) -> float:
    import vtk

    measure = vtk.vtkMassProperties()
    segment = node.GetSegmentation().GetSegment("a")
    measure.SetInputData(segment.GetRepresentation("Closed surface"))
    return float(measure.GetVolume())
