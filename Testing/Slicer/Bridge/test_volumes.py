"""Volume nodes to images and back."""

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.volumes import imageFromVolumes, imageKey, volumeFromImage, worldGeometry
from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Slicer.Bridge.made import GRIDS, bend, matrix_node, transform, volume

pytestmark = pytest.mark.slicer
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]


@pytest.mark.parametrize("kind", TYPES)
def test_the_stored_type_is_kept(scene: Any, kind: str) -> None:
    limits = np.iinfo(kind) if np.dtype(kind).kind in "iu" else np.finfo(kind)
    array = np.zeros((2, 3, 4), kind)
    array[0, 1, 2], array[1, 2, 3] = limits.min, limits.max
    image = imageFromVolumes([volume(scene, Geometry((2, 3, 4)), array)])
    assert image.array.dtype == np.dtype(kind)
    assert np.array_equal(image.array, array[None])
    assert image.channel_names == ("image",)


def test_the_image_is_a_copy(scene: Any) -> None:
    import slicer

    node = volume(scene)
    image = imageFromVolumes([node])
    before = image.array.copy()
    slicer.util.arrayFromVolume(node)[:] = -1
    assert np.array_equal(image.array, before)
    assert image.array.flags.c_contiguous and image.array.flags.writeable


def test_three_components_are_red_green_blue(scene: Any) -> None:
    array = np.random.default_rng(0).integers(0, 255, (2, 3, 4, 3), np.uint8)
    image = imageFromVolumes([volume(scene, Geometry((2, 3, 4)), array)])
    assert image.channel_names == RGB_NAMES and image.is_rgb
    assert np.array_equal(np.moveaxis(image.array, 0, -1), array)
    assert image.array.flags.c_contiguous


def test_opacity_is_dropped(scene: Any) -> None:
    array = np.random.default_rng(0).integers(0, 255, (1, 3, 4, 4), np.uint8)
    image = imageFromVolumes([volume(scene, Geometry((1, 3, 4)), array)])
    assert image.is_rgb
    assert np.array_equal(np.moveaxis(image.array, 0, -1), array[..., :3])


@pytest.mark.parametrize("signs", [(-1.0, -1.0, 1.0), (1.0, 1.0, 1.0), (1.0, -1.0, 1.0)])
def test_a_photograph_keeps_the_place_that_its_node_has(
    scene: Any, signs: tuple[float, float, float]
) -> None:
    """However a reader laid the pixels: the node decides, not the engine's rule for pictures."""
    placed = np.diag([0.5 * signs[0], 0.5 * signs[1], signs[2], 1.0])
    placed[:3, 3] = (3.0, -4.0, 5.0)
    pixels = np.random.default_rng(0).integers(0, 255, (1, 6, 8, 3), np.uint8)
    node = volume(scene, Geometry.from_ijk_to_ras((1, 6, 8), placed), pixels)
    image = imageFromVolumes([node])
    assert image.dimension == 2 and image.is_rgb
    assert np.array_equal(np.moveaxis(image.array, 0, -1), pixels)
    assert image.geometry.ijk_to_ras == pytest.approx(placed)
    clicked = Prompt(points=(tuple(placed[:3] @ [7.0, 2.0, 0.0, 1.0]),))
    assert clicked.points_kji(image.geometry) == pytest.approx(np.array([[0.0, 2.0, 7.0]]))


def test_one_slice_is_two_dimensional_with_its_own_spacing(scene: Any) -> None:
    geometry = Geometry((1, 5, 6), (0.5, 0.25, 4.0), (1.0, 2.0, 3.0))
    image = imageFromVolumes([volume(scene, geometry)])
    assert image.dimension == 2
    assert image.geometry.is_close(geometry, 1e-9)


def test_a_second_volume_becomes_a_channel_on_the_first_grid(scene: Any) -> None:
    """A linear ramp in the world reads the same on both grids."""
    first = GRIDS["oblique+anisotropic"]
    low, high = first.extent_ras_mm()
    size = tuple(np.ceil((np.array(high) - low)[::-1] / 2).astype(int) + 3)
    second = Geometry.from_ijk_to_ras(size, _axis_aligned(np.array(low) - 2, 2.0))

    def ramp(grid: Geometry) -> np.ndarray:
        places = grid.kji_to_ras(np.argwhere(np.ones(grid.shape_kji)))
        return (places @ [1.0, 2.0, 3.0]).reshape(grid.shape_kji)

    moved = transform(scene, "rigid")  # both in one moved frame
    nodes = [
        volume(scene, first, ramp(first), moved, "CT"),
        volume(scene, second, ramp(second), moved, "MR"),
    ]
    image = imageFromVolumes(nodes)
    assert image.channel_names == ("CT", "MR")
    assert image.array.shape == (2, *first.shape_kji)
    assert image.array[1] == pytest.approx(image.array[0], abs=1e-6)


def test_volumes_that_do_not_overlap_are_refused_by_name(scene: Any) -> None:
    far = Geometry((5, 7, 9), origin_lps=(1e4, 0.0, 0.0))
    nodes = [volume(scene, name="CT"), volume(scene, far, name="MR")]
    with pytest.raises(GeometryError, match=r"'CT' and 'MR' cannot be used together: .*overlap"):
        imageFromVolumes(nodes)


def test_without_a_volume_there_is_a_sentence(scene: Any) -> None:
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing in it")
    for nodes, said in (([], "choose one"), ([None], "choose one"), ([empty], "'Nothing in it'")):
        with pytest.raises(InputError, match=said):
            imageFromVolumes(nodes)


def test_a_volume_without_pixels_along_an_axis_is_refused(scene: Any) -> None:
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Flat")
    data = vtk.vtkImageData()
    data.SetDimensions(4, 4, 0)
    data.AllocateScalars(vtk.VTK_SHORT, 1)
    node.SetAndObserveImageData(data)
    with pytest.raises(InputError, match="'Flat' holds no image"):
        imageFromVolumes([node])


def test_a_part_cut_out_by_vtk_stays_in_place(scene: Any) -> None:
    import vtk

    node = volume(scene)
    whole = imageFromVolumes([node])
    cut = vtk.vtkExtractVOI()
    cut.SetInputData(node.GetImageData())
    cut.SetVOI(2, 7, 1, 6, 3, 4)
    cut.Update()
    assert cut.GetOutput().GetExtent() == (2, 7, 1, 6, 3, 4)
    node.SetAndObserveImageData(cut.GetOutput())
    part = imageFromVolumes([node])
    expected = whole.crop((slice(3, 5), slice(1, 7), slice(2, 8)))
    assert np.array_equal(part.array, expected.array)
    assert part.geometry.is_close(expected.geometry)


def test_a_transform_that_bends_is_refused(scene: Any) -> None:
    node = volume(scene, parent=bend(scene))
    with pytest.raises(GeometryError, match=r"'Head'.*'Bend'.*[Hh]arden"):
        imageFromVolumes([node])


def test_a_transform_that_squashes_flat_is_refused(scene: Any) -> None:
    flat = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    flat.SetMatrixTransformToParent(matrix_node(np.diag([1.0, 1.0, 0.0, 1.0])))
    with pytest.raises(GeometryError):
        imageFromVolumes([volume(scene, parent=flat)])


def test_the_key_follows_the_voxels_and_the_place(scene: Any) -> None:
    import slicer

    parent = transform(scene, "rigid")
    node = volume(scene, parent=parent)
    other = volume(scene, parent=parent)
    seen = [imageKey([node])]
    assert imageKey([node]) == seen[0]
    node.SetName("Another name")
    node.CreateDefaultDisplayNodes()
    assert imageKey([node]) == seen[0]

    slicer.util.arrayFromVolume(node)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(node)
    seen.append(imageKey([node]))
    parent.SetMatrixTransformToParent(matrix_node(np.diag([1.0, 1.0, 2.0, 1.0])))
    seen.append(imageKey([node]))
    node.SetSpacing(1.0, 1.0, 1.5)
    seen.append(imageKey([node]))
    node.SetAndObserveTransformNodeID(None)
    seen += [imageKey([node]), imageKey([other]), imageKey([node, other]), imageKey([other, node])]
    assert len(set(seen)) == len(seen)


def test_a_key_is_not_met_again_after_the_scene_was_closed(scene: Any) -> None:
    before = imageKey([volume(scene)])
    scene.Clear(0)
    node = volume(scene)
    assert imageKey([node]) != before


@pytest.mark.parametrize("kind", ["bool", "float16"])
def test_types_unknown_to_mrml_are_converted(scene: Any, kind: str) -> None:
    array = np.array([[[[0, 1], [1, 0]]]], kind)
    node = volumeFromImage(Image(array, Geometry((1, 2, 2))), "X")
    assert np.array_equal(imageFromVolumes([node]).array, array)


def test_a_made_volume_is_a_volume_like_any_other(scene: Any) -> None:
    import slicer

    pixels = np.random.default_rng(0).integers(0, 255, (3, 1, 4, 5), np.uint8)
    photo = volumeFromImage(Image(pixels, Geometry((1, 4, 5)), RGB_NAMES), "Photo", scene)
    assert photo.GetClassName() == "vtkMRMLVectorVolumeNode" and photo.GetName() == "Photo"
    assert np.array_equal(slicer.util.arrayFromVolume(photo)[0], np.moveaxis(pixels[:, 0], 0, -1))
    photo.CreateDefaultDisplayNodes()
    two = volumeFromImage(Image(pixels[:2], Geometry((1, 4, 5))), "Two")
    assert two.GetClassName() == "vtkMRMLVectorVolumeNode"
    assert np.array_equal(imageFromVolumes([two]).array, pixels[:2])
    grid = GRIDS["sheared"]
    sheared = volumeFromImage(Image(np.zeros((1, *grid.shape_kji)), grid), "Sheared")
    assert worldGeometry(sheared).is_close(grid, 1e-9)


def _axis_aligned(start_ras: np.ndarray, spacing_mm: float) -> np.ndarray:
    matrix = np.diag([spacing_mm] * 3 + [1.0])
    matrix[:3, 3] = start_ras
    return matrix
