"""3D Slicer's own reader opens what this project writes, and the reverse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Label, terminology_entry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.provenance import Provenance
from Testing.Library.geometries import KIND_NAMES, KINDS, grid

slicer = pytest.importorskip("slicer", reason="slicer-core has no wheel for this platform")
vtk = pytest.importorskip("vtk")
from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402

pytestmark = pytest.mark.slicer

LIVER = terminology_entry(
    ("SCT", "123037004", "Anatomical Structure"), ("SCT", "10200004", "Liver")
)
LABELS = (Label(1, "Liver: left ü", (0.1, 0.2, 0.3), LIVER), Label(5, "Tumour", (0.9, 0.05, 0.5)))
PROVENANCE = Provenance(
    "cdal", "cdal/x|y", "ab" * 32, {"text": "lésion | a:b~c", "points": [[1, 2, 3, "-"]]}, 7,
    {"torch": "2"}, "cpu", 1.5, {"steps": 4}, "CC BY 4.0", "2026-01-01T00:00:00+00:00",
)  # fmt: skip


@pytest.fixture
def scene() -> Iterator[Any]:
    """A bare scene that knows segmentations; what VTK complains about fails the test."""
    window = vtk.vtkStringOutputWindow()
    vtk.vtkOutputWindow.SetInstance(window)
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    yield scene
    complaints = window.GetOutput()
    vtk.vtkOutputWindow.SetInstance(None)
    assert complaints == ""


def load(scene: Any, path: Path) -> tuple[Any, Any]:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1
    return node, storage


def matrix_of(image: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def labelmap(segment: Any) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Voxels (k, j, i), matrix from voxel to RAS, and the extent of a segment's layer."""
    image = segment.GetRepresentation("Binary labelmap")
    voxels = vtk_to_numpy(image.GetPointData().GetScalars())
    return voxels.reshape(image.GetDimensions()[::-1]), matrix_of(image), image.GetExtent()


def example(geometry: Geometry) -> Mask:
    array = np.zeros(geometry.shape_kji, np.uint8)
    array[1:3, 2:4, 3:6] = 1
    array[3, 4:6, 2:8] = 5
    return Mask(array, geometry, LABELS, PROVENANCE)


def tag(segment: Any, key: str) -> str:
    value = vtk.reference("")
    assert segment.GetTag(key, value), key
    return str(value)


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_slicer_opens_our_file(tmp_path: Path, scene: Any, kind: dict[str, bool]) -> None:
    mask = example(grid(**kind))
    mask.write(tmp_path / "x.seg.nrrd")
    segmentation = load(scene, tmp_path / "x.seg.nrrd")[0].GetSegmentation()
    assert [segmentation.GetNthSegmentID(n) for n in range(2)] == ["Segment_1", "Segment_5"]
    for number, label in enumerate(LABELS):
        segment = segmentation.GetNthSegment(number)
        assert segment.GetName() == label.name
        assert segment.GetColor() == pytest.approx(label.color_rgb)
        assert segment.GetLabelValue() == label.value
        assert {key: tag(segment, key) for key in PROVENANCE.as_tags()} == PROVENANCE.as_tags()
        assert tag(segment, "Segmentation.Status") == "completed"
        voxels, matrix, extent = labelmap(segment)
        assert extent == (0, 8, 0, 6, 0, 4)
        assert np.array_equal(voxels, mask.array)
        assert matrix == pytest.approx(mask.geometry.ijk_to_ras, abs=1e-12)
    assert segmentation.GetNthSegment(0).GetTerminology() == LIVER
    text = segmentation.GetConversionParameter("Reference image geometry")
    reference = slicer.vtkOrientedImageData()
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, reference, False)
    assert matrix_of(reference) == pytest.approx(mask.geometry.ijk_to_ras, abs=1e-12)
    assert reference.GetExtent() == (0, 8, 0, 6, 0, 4)


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_we_open_slicers_file(tmp_path: Path, scene: Any, kind: dict[str, bool]) -> None:
    """Slicer cuts the file to what is filled; on the image's grid it is the same mask again."""
    mask = example(grid(**kind))
    mask.write(tmp_path / "x.seg.nrrd")
    node, storage = load(scene, tmp_path / "x.seg.nrrd")
    storage.SetFileName(str(tmp_path / "y.seg.nrrd"))
    storage.SetCropToMinimumExtent(True)
    assert storage.WriteData(node) == 1
    again = Mask.read(tmp_path / "y.seg.nrrd")
    assert again.geometry.voxel_count < mask.geometry.voxel_count
    assert np.array_equal(again.resampled(mask.geometry).array, mask.array)
    assert [label.name for label in again.labels] == [label.name for label in LABELS]
    assert again.labels[0].color_rgb == pytest.approx(LABELS[0].color_rgb)
    assert again.labels[0].terminology == LIVER
    assert again.provenance == PROVENANCE


def test_overlapping_segments_of_slicer_are_merged(tmp_path: Path, scene: Any) -> None:
    geometry = grid(oblique=True, anisotropic=True)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    expected = np.zeros(geometry.shape_kji, np.uint8)
    for number, rows in enumerate((slice(0, 4), slice(2, 6), slice(3, 7)), start=1):
        array = np.zeros(geometry.shape_kji, np.uint8)
        array[1:4, rows, 2:7] = 1
        expected[array > 0] = number
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(geometry.shape_kji[::-1])
        matrix = vtk.vtkMatrix4x4()
        matrix.DeepCopy(geometry.ijk_to_ras.ravel().tolist())
        image.SetImageToWorldMatrix(matrix)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        vtk_to_numpy(image.GetPointData().GetScalars())[:] = array.ravel()
        node.AddSegmentFromBinaryLabelmapRepresentation(image, f"Part {number}", [0.1 * number] * 3)
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "x.seg.nrrd"))
    assert storage.WriteData(node) == 1
    mask = Mask.read(tmp_path / "x.seg.nrrd")
    assert [label.name for label in mask.labels] == ["Part 1", "Part 2", "Part 3"]
    assert np.array_equal(mask.resampled(geometry).array, expected)


def test_a_picture_becomes_a_volume_of_one_slice(tmp_path: Path, scene: Any) -> None:
    array = np.zeros((1, 6, 8), np.uint8)
    array[0, 2:4, 3:5] = 1
    mask = Mask(array, Geometry((1, 6, 8)))
    mask.write(tmp_path / "x.seg.nrrd")
    segment = load(scene, tmp_path / "x.seg.nrrd")[0].GetSegmentation().GetNthSegment(0)
    voxels, matrix, _ = labelmap(segment)
    assert np.array_equal(voxels, array)
    assert matrix == pytest.approx(mask.geometry.ijk_to_ras)


def test_an_empty_mask_keeps_its_segments(tmp_path: Path, scene: Any) -> None:
    mask = Mask(np.zeros((3, 4, 5), np.uint8), Geometry((3, 4, 5)), LABELS)
    mask.write(tmp_path / "x.seg.nrrd")
    segmentation = load(scene, tmp_path / "x.seg.nrrd")[0].GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 2
    assert not labelmap(segmentation.GetNthSegment(0))[0].any()
