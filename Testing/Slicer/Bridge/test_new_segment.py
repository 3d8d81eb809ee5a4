"""New segmentations and segments: place, names, colours, tags; saving and reloading."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.new_segment import addSegment, createSegmentationFor, tagSegment
from DiffusionSegBridge.segments import readSegments, writeSegment
from DiffusionSegBridge.volumes import imageFromVolumes, worldGeometry
from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Label, terminology_entry
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from Testing.Slicer.Bridge.made import GRIDS, TRANSFORMS, bend, shape, transform, volume

pytestmark = pytest.mark.slicer
LIVER = Label(
    1,
    "Liver",
    (0.1, 0.2, 0.3),
    terminology_entry(("SCT", "123037004", "Anatomical Structure"), ("SCT", "10200004", "Liver")),
)
PROVENANCE = Provenance(
    "cdal", "cdal/x", "ab" * 32, {"text": "lésion | a:b~c", "points": [[1, 2, 3, "-"]]}, 7,
    {"torch": "2"}, "cpu", 1.5, {"steps": 4}, "CC BY 4.0", "2026-01-01T00:00:00+00:00",
)  # fmt: skip
VERDICT = PresenceVerdict(Verdict.UNCERTAIN, 0.4567, "The samples disagree.")


def hierarchy(scene: Any) -> Any:
    import slicer

    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def tags(segment: Any) -> dict[str, str]:
    import vtk

    found = {}
    for key in (*PROVENANCE.as_tags(), "DiffusionSeg.verdict", "DiffusionSeg.presence"):
        value = vtk.reference("")
        if segment.GetTag(key, value):
            found[key] = str(value)
    return found


@pytest.mark.parametrize("above", TRANSFORMS)
def test_the_reference_grid_is_the_volumes(scene: Any, above: str) -> None:
    import slicer
    import vtk

    parent = transform(scene, above)
    node = volume(scene, GRIDS["oblique+anisotropic"], parent=parent)
    target = createSegmentationFor(node, "Head liver")
    assert target.GetName() == "Head liver"
    assert target.GetParentTransformNode() is parent
    assert target.GetDisplayNode() is not None
    assert target.GetNodeReference("referenceImageGeometryRef") is node
    reference = slicer.vtkOrientedImageData()
    text = target.GetSegmentation().GetConversionParameter("Reference image geometry")
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, reference, False)
    matrix = vtk.vtkMatrix4x4()
    reference.GetImageToWorldMatrix(matrix)
    wanted = GRIDS["oblique+anisotropic"].ijk_to_ras.ravel().tolist()
    assert [matrix.GetElement(n // 4, n % 4) for n in range(16)] == pytest.approx(wanted)
    assert reference.GetDimensions() == (9, 7, 5)


def test_a_volume_that_cannot_be_outlined_gets_no_segmentation(scene: Any) -> None:
    before = scene.GetNumberOfNodes()
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    with pytest.raises(InputError, match="'Empty'"):
        createSegmentationFor(empty, "X")
    scene.RemoveNode(empty)
    assert scene.GetNumberOfNodes() == before
    with pytest.raises(GeometryError, match="'Bend'"):
        createSegmentationFor(volume(scene, parent=bend(scene)), "X")
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_it_is_filed_in_the_study_of_the_volume(scene: Any) -> None:
    tree = hierarchy(scene)
    patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "Patient")
    study = tree.CreateStudyItem(patient, "Study")
    folder = tree.CreateFolderItem(study, "Folder")
    node = volume(scene)
    tree.CreateItem(folder, node)
    item = tree.GetItemByDataNode(createSegmentationFor(node, "X"))
    assert tree.GetItemParent(item) == study


def test_without_a_study_it_is_filed_beside_the_volume(scene: Any) -> None:
    tree = hierarchy(scene)
    folder = tree.CreateFolderItem(tree.GetSceneItemID(), "Folder")
    node = volume(scene)
    tree.CreateItem(folder, node)
    item = tree.GetItemByDataNode(createSegmentationFor(node, "X"))
    assert tree.GetItemParent(item) == folder


def test_an_item_made_by_slicer_is_moved(scene: Any) -> None:
    """The desktop files every new node at the top by itself."""
    import slicer
    import vtk

    tree = hierarchy(scene)
    study = tree.CreateStudyItem(tree.GetSceneItemID(), "Study")
    node = volume(scene)
    tree.CreateItem(study, node)

    def fileAtTop(_scene: Any, _event: str, added: Any) -> None:
        if added.IsA("vtkMRMLSegmentationNode"):
            tree.CreateItem(tree.GetSceneItemID(), added)

    fileAtTop.CallDataType = vtk.VTK_OBJECT  # type: ignore[attr-defined]
    scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, fileAtTop)
    target = createSegmentationFor(node, "X")
    assert tree.GetItemParent(tree.GetItemByDataNode(target)) == study


def test_a_volume_outside_the_hierarchy_is_no_obstacle(scene: Any) -> None:
    assert createSegmentationFor(volume(scene), "X") is not None


def test_a_segment_has_the_name_color_and_codes(scene: Any) -> None:
    target = createSegmentationFor(volume(scene), "X")
    found = [addSegment(target, LIVER), addSegment(target, LIVER, " My liver "),
             addSegment(target, LIVER)]  # fmt: skip
    segments = [target.GetSegmentation().GetSegment(identifier) for identifier in found]
    assert len(set(found)) == 3
    assert [segment.GetName() for segment in segments] == ["Liver", "My liver", "Liver 2"]
    for segment in segments:
        assert segment.GetColor() == pytest.approx(LIVER.color_rgb)
        assert segment.GetTerminology() == LIVER.terminology
        assert not segment.GetNameAutoGenerated() and not segment.GetColorAutoGenerated()


def test_the_origin_is_written_into_the_segment(scene: Any) -> None:
    import slicer

    target = createSegmentationFor(volume(scene), "X")
    segment = target.GetSegmentation().GetSegment(addSegment(target, LIVER))
    tagSegment(segment, PROVENANCE, VERDICT)
    found = tags(segment)
    assert Provenance.from_tags(found) == PROVENANCE
    assert found["DiffusionSeg.verdict"] == "uncertain"
    assert found["DiffusionSeg.presence"] == "0.457"
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.GetSegmentStatus(segment) == logic.InProgress


def test_nothing_is_known_of_the_origin(scene: Any) -> None:
    target = createSegmentationFor(volume(scene), "X")
    segment = target.GetSegmentation().GetSegment(addSegment(target, Label(1, "X")))
    tagSegment(segment)
    assert tags(segment) == {}


@pytest.mark.parametrize("above", ["none", "sheared"])
def test_a_result_survives_saving_the_scene(scene: Any, tmp_path: Path, above: str) -> None:
    node = volume(scene, GRIDS["oblique+anisotropic+left_handed"], parent=transform(scene, above))
    target = createSegmentationFor(node, "Head liver")
    identifier = addSegment(target, LIVER)
    writeSegment(shape(), worldGeometry(node), target, identifier)
    tagSegment(target.GetSegmentation().GetSegment(identifier), PROVENANCE, VERDICT)
    path = str(tmp_path / "x.mrb")
    for saved in (node, target):
        saved.AddDefaultStorageNode()
    assert scene.WriteToMRB(path)
    scene.Clear(0)
    assert scene.ReadFromMRB(path)
    again, image = scene.GetFirstNodeByName("Head liver"), scene.GetFirstNodeByName("Head")
    mask = readSegments(again, {1: identifier}, worldGeometry(image))
    # Slicer may store a left-handed volume in another order of voxels; each has its own number.
    inside = imageFromVolumes([image]).array[0][mask.array > 0]
    assert set(inside) == set(np.flatnonzero(shape()))
    assert len(inside) == shape().sum()
    assert mask.labels[0].name == "Liver" and mask.labels[0].terminology == LIVER.terminology
    segment = again.GetSegmentation().GetSegment(identifier)
    assert Provenance.from_tags(tags(segment)) == PROVENANCE
    assert tags(segment)["DiffusionSeg.verdict"] == "uncertain"


def test_a_photograph_can_have_segments(scene: Any) -> None:
    pixels = np.zeros((1, 6, 8, 3), np.uint8)
    node = volume(scene, Geometry((1, 6, 8)), pixels)
    target = createSegmentationFor(node, "X")
    identifier = addSegment(target, LIVER)
    writeSegment(shape((1, 6, 8)), worldGeometry(node), target, identifier)
    mask = readSegments(target, {1: identifier}, worldGeometry(node))
    assert np.array_equal(mask.array, shape((1, 6, 8)))
