"""Probability, uncertainty and auxiliary volumes: where they lie, how they look, that they go."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.overlays import (
    OVERLAY,
    auxiliaryVolume,
    probabilityVolume,
    removeOverlays,
    shown,
    uncertaintyVolume,
)
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import GeometryError, UnknownNameError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from Testing.Slicer.Bridge.made import GRIDS, TRANSFORMS, bend, transform, volume, world_of_mask

pytestmark = pytest.mark.slicer


def proposal(geometry: Geometry, labels: int = 2) -> Proposal:
    """Two labels whose probabilities add up to a ramp from 0 to 1."""
    ramp = np.linspace(0, 1, geometry.voxel_count).reshape(geometry.shape_kji)
    probability = np.stack([ramp / labels] * labels).astype(np.float16)
    photo = np.random.default_rng(0).integers(0, 255, (3, *geometry.shape_kji), np.uint8)
    return Proposal(
        Image(probability, geometry),
        tuple(label_for(value + 1) for value in range(labels)),
        PresenceVerdict(Verdict.FOUND, 1.0, "It is there."),
        Provenance("toy", "toy/x"),
        uncertainty=Image(0.2 * ramp[None].astype(np.float32), geometry),
        auxiliary={
            "healthy": Image(100 * ramp[None], geometry),
            "photo": Image(photo, geometry, RGB_NAMES),
        },
    )


def array_of(node: Any) -> np.ndarray:
    import slicer

    return np.asarray(slicer.util.arrayFromVolume(node))


@pytest.mark.parametrize("above", TRANSFORMS)
@pytest.mark.parametrize("kind", ["plain", "oblique+anisotropic+left_handed", "sheared"])
def test_an_overlay_lies_on_the_volume_and_moves_with_it(scene: Any, kind: str, above: str) -> None:
    parent = transform(scene, above)
    node = volume(scene, GRIDS[kind], parent=parent)
    made = proposal(worldGeometry(node))
    every = np.ones(GRIDS[kind].shape_kji)
    overlays = [probabilityVolume(made, node), uncertaintyVolume(made, node),
                auxiliaryVolume(made, "healthy", node)]  # fmt: skip
    for overlay in overlays:
        assert overlay.GetParentTransformNode() is parent
        distance = world_of_mask(every, overlay) - world_of_mask(every, node)
        assert np.abs(distance).max() < 0.01


def test_all_labels_together_from_0_to_1(scene: Any) -> None:
    node = volume(scene)
    overlay = probabilityVolume(proposal(worldGeometry(node)), node)
    ramp = np.linspace(0, 1, 5 * 7 * 9).reshape(5, 7, 9)
    assert overlay.GetName() == "Head probability"
    assert array_of(overlay).dtype == np.float32
    assert array_of(overlay) == pytest.approx(ramp, abs=1e-3)
    assert array_of(overlay).max() <= 1.0


def test_it_is_clear_below_a_twentieth(scene: Any) -> None:
    node = volume(scene)
    made = proposal(worldGeometry(node))
    for overlay, highest in (
        (probabilityVolume(made, node), 1.0),
        (uncertaintyVolume(made, node), 0.2),
    ):
        display = overlay.GetDisplayNode()
        low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
        assert (low, high) == pytest.approx((0.0, highest))
        assert display.GetApplyThreshold()
        assert display.GetLowerThreshold() == pytest.approx(0.05 * highest)
        assert display.GetUpperThreshold() == pytest.approx(highest)
        table = display.GetColorNode()
        colors = np.array([_color(table, index) for index in range(table.GetNumberOfColors())])
        assert (colors[:12, 3] == 0).all() and (colors[13:, 3] == 1).all()
        light = colors[:, :3] @ [0.3, 0.6, 0.1]
        # Brighter means more, in grey too.
        assert (np.diff(light) >= 0).all() and light[-1] > light[0] + 0.5


def test_what_is_drawn_is_clear_where_nothing_is_likely(scene: Any) -> None:
    """Through the display pipeline that the slice views use."""
    node = volume(scene)
    overlay = probabilityVolume(proposal(worldGeometry(node)), node)
    rgba = drawn_rgba(overlay)
    values = array_of(overlay).ravel()
    assert (rgba[values < 0.04, 3] == 0).all()
    assert (rgba[values > 0.06, 3] == 255).all()


def test_a_method_without_uncertainty(scene: Any) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    made = proposal(geometry)
    bare = Proposal(made.probability, made.labels, made.verdict, made.provenance)
    assert uncertaintyVolume(bare, node) is None
    flat = Image(np.zeros((1, *geometry.shape_kji), np.float32), geometry)
    sure = Proposal(made.probability, made.labels, made.verdict, made.provenance, flat)
    assert uncertaintyVolume(sure, node) is not None


def test_auxiliary_images_by_name(scene: Any) -> None:
    node = volume(scene)
    made = proposal(worldGeometry(node))
    assert array_of(auxiliaryVolume(made, "healthy", node)).max() == pytest.approx(100)
    photo = auxiliaryVolume(made, "photo", node)
    assert photo.GetClassName() == "vtkMRMLVectorVolumeNode"
    assert photo.GetDisplayNode().GetClassName() == "vtkMRMLVectorVolumeDisplayNode"
    with pytest.raises(UnknownNameError, match="Did you mean 'healthy'"):
        auxiliaryVolume(made, "helthy", node)


def explained(geometry: Geometry, name: str, values: Any) -> Proposal:
    """A result with one auxiliary image of one channel; values fill (k, j, i) from the start."""
    made = proposal(geometry)
    array = np.asarray(values, np.float32).reshape((1, *geometry.shape_kji))
    made.auxiliary = {name: Image(array, geometry)}
    return made


def drawn_rgba(node: Any) -> np.ndarray:
    """Of every voxel, as the display pipeline of the slice views gives it."""
    from vtk.util.numpy_support import vtk_to_numpy

    display = node.GetDisplayNode()
    display.UpdateImageDataPipeline()
    connection = display.GetImageDataConnection()
    connection.GetProducer().Update()
    drawn = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
    return np.asarray(vtk_to_numpy(drawn.GetPointData().GetScalars()).reshape(-1, 4), float)


def test_a_map_looks_like_a_probability(scene: Any) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    values = np.linspace(0, 0.6, geometry.voxel_count)
    shown_map = auxiliaryVolume(explained(geometry, "anomaly map", values), "anomaly map", node)
    display = shown_map.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 1.0)
    rgba = drawn_rgba(shown_map)
    assert (rgba[values < 0.04, 3] == 0).all() and (rgba[values > 0.06, 3] == 255).all()


def test_a_difference_has_a_color_for_each_sign_and_none_at_zero(scene: Any) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    values = np.linspace(-300, 150, geometry.voxel_count)
    values[:3] = -5000  # a few that are far out leave the others their colors
    made = explained(geometry, "difference", values)
    overlay = auxiliaryVolume(made, "difference", node)
    display = overlay.GetDisplayNode()
    low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    assert low == -high
    assert high == pytest.approx(300, rel=0.05)
    rgba = drawn_rgba(overlay)
    assert (rgba[np.abs(values) < 0.03 * high, 3] == 0).all()
    assert (rgba[np.abs(values) > 0.07 * high, 3] == 255).all()
    red, blue = rgba[:, 0], rgba[:, 2]
    assert (red > blue)[values > 0.07 * high].all()
    assert (blue > red)[values < -0.07 * high].all()
    light = rgba[:, :3] @ [0.3, 0.6, 0.1]
    growing = light[(values > 0.1 * high) & (values < high)]
    assert (np.diff(growing) >= -1).all() and growing[-1] > growing[0] + 50


@pytest.mark.parametrize("values", [0.0, 4.0])
def test_a_difference_without_a_sign_change(scene: Any, values: float) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    made = explained(geometry, "difference", np.full(geometry.voxel_count, values))
    overlay = auxiliaryVolume(made, "difference", node)
    assert (drawn_rgba(overlay)[:, 3] == (255 if values else 0)).all()


def test_a_twin_is_as_bright_as_the_image(scene: Any) -> None:
    node = volume(scene)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(-160.0, 240.0)
    geometry = worldGeometry(node)
    values = np.linspace(-1000, 1000, geometry.voxel_count)
    made = explained(geometry, "pseudo-healthy", values)
    twin = auxiliaryVolume(made, "pseudo-healthy", node)
    rgb = drawn_rgba(twin)[:, :3]
    assert (rgb[values <= -160] == 0).all() and (rgb[values >= 240] == 255).all()
    assert twin.GetDisplayNode().GetColorNodeID() == display.GetColorNodeID()


def test_a_twin_of_a_volume_that_nobody_has_looked_at(scene: Any) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    made = explained(geometry, "pseudo-healthy", np.arange(geometry.voxel_count))
    assert drawn_rgba(auxiliaryVolume(made, "pseudo-healthy", node))[:, 0].max() > 200


def test_an_auxiliary_image_on_another_grid_keeps_it(scene: Any) -> None:
    node = volume(scene, parent=transform(scene, "rigid"))
    geometry = worldGeometry(node)
    made = proposal(geometry)
    coarse = geometry.with_shape((2, 3, 4))
    made.auxiliary = {"coarse": Image(np.zeros((1, 2, 3, 4)), coarse)}
    assert worldGeometry(auxiliaryVolume(made, "coarse", node)).is_close(coarse)


def test_a_result_on_the_models_grid_is_shown_on_the_volumes(scene: Any) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    made = proposal(geometry.with_shape((2, 3, 4)))
    lazy = Proposal(made.probability, made.labels, made.verdict, made.provenance,
                    geometry=geometry)  # fmt: skip
    assert array_of(probabilityVolume(lazy, node)).shape == geometry.shape_kji


def test_laid_over_the_views_and_taken_away_again(scene: Any) -> None:
    views = [scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode") for _ in range(3)]
    node, other = volume(scene), volume(scene, name="Other")
    views[0].SetForegroundVolumeID(other.GetID())
    views[0].SetForegroundOpacity(0.3)
    made = proposal(worldGeometry(node))
    first, second = probabilityVolume(made, node), uncertaintyVolume(made, node)
    before = [(view.GetForegroundVolumeID(), view.GetForegroundOpacity()) for view in views]

    shown(first, True)
    shown(first, True)
    assert {view.GetForegroundVolumeID() for view in views} == {first.GetID()}
    assert all(view.GetForegroundOpacity() == pytest.approx(0.5) for view in views)
    shown(second, True)
    assert {view.GetForegroundVolumeID() for view in views} == {second.GetID()}
    shown(first, False)  # is not in view
    assert {view.GetForegroundVolumeID() for view in views} == {second.GetID()}
    shown(second, False)
    after = [(view.GetForegroundVolumeID(), view.GetForegroundOpacity()) for view in views]
    assert after == before


def test_what_lay_there_before_may_be_gone(scene: Any) -> None:
    view = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    node, other = volume(scene), volume(scene, name="Other")
    view.SetForegroundVolumeID(other.GetID())
    overlay = probabilityVolume(proposal(worldGeometry(node)), node)
    shown(overlay, True)
    scene.RemoveNode(other)
    shown(overlay, False)
    assert not view.GetForegroundVolumeID()


def test_all_go_together(scene: Any) -> None:
    view = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    node = volume(scene)
    before = scene.GetNumberOfNodes()
    made = proposal(worldGeometry(node))
    for _ in range(5):
        first = probabilityVolume(made, node)
        overlays = [first, uncertaintyVolume(made, node), auxiliaryVolume(made, "photo", node)]
        for overlay in overlays:
            shown(overlay, True)
            assert overlay.GetAttribute(OVERLAY) == node.GetID()
        removeOverlays(scene)
        assert scene.GetNumberOfNodes() == before
        assert not view.GetForegroundVolumeID()
    removeOverlays(scene)


def test_overlays_are_not_saved(scene: Any, tmp_path: Path) -> None:
    node = volume(scene)
    made = proposal(worldGeometry(node))
    probabilityVolume(made, node)
    auxiliaryVolume(made, "photo", node)
    node.AddDefaultStorageNode()
    path = str(tmp_path / "x.mrb")
    assert scene.WriteToMRB(path)
    scene.Clear(0)
    assert scene.ReadFromMRB(path)
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 1
    assert scene.GetFirstNodeByName("Head probability colors") is None


def test_a_volume_put_under_a_bending_transform_meanwhile(scene: Any) -> None:
    node = volume(scene)
    made = proposal(worldGeometry(node))
    before = scene.GetNumberOfNodes()
    bent = bend(scene)
    node.SetAndObserveTransformNodeID(bent.GetID())
    with pytest.raises(GeometryError, match="'Head'"):
        probabilityVolume(made, node)
    assert scene.GetNumberOfNodes() == before + 1  # the transform alone


def _color(table: Any, index: int) -> list[float]:
    color = [0.0] * 4
    table.GetColor(index, color)
    return color
