"""A MRML scene with application logic and module logics, as the application sets one up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import vtk


@dataclass
class SceneWorld:
    """One scene and everything that must live as long as it does."""

    scene: Any
    application_logic: Any
    logics: dict[str, Any]
    kept: tuple[Any, ...]


def make_scene(folder: Path) -> SceneWorld:
    """A new scene; `folder` takes its cache and temporary files.

    The logics register the node and storage classes, so a scene without them loads only half of
    what was saved.
    """
    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetHomeDirectory(str(folder))  # before the color logic, which looks for files there
    application.SetShareDirectory(str(folder))
    application.SetTemporaryPath(str(folder))
    application.SetSliceLogics(vtk.vtkCollection())
    application.SetViewLogics(vtk.vtkCollection())
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    application.SetMRMLScene(scene)
    kept = _data_transfer(scene, application, folder)
    logics = dict(_module_logics(scene, application))
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    return SceneWorld(scene, application, logics, kept)


def _data_transfer(scene: Any, application: Any, folder: Path) -> tuple[Any, ...]:
    """Reading a .mrb needs a cache and a data manager, which the caller must keep."""
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.GetCacheManager().SetRemoteCacheDirectory(str(folder))
    data = slicer.vtkDataIOManagerLogic()
    data.SetMRMLApplicationLogic(application)
    data.SetAndObserveDataIOManager(remote.GetDataIOManager())
    application.SetMRMLSceneDataIO(scene, remote, data)
    return remote, data


def _module_logics(scene: Any, application: Any) -> Iterator[tuple[str, Any]]:
    colors = application.GetColorLogic()
    colors.SetMRMLScene(scene)
    colors.AddDefaultColorNodes()
    application.SetModuleLogic("Colors", colors)
    yield "Colors", colors
    volumes = slicer.vtkSlicerVolumesLogic()
    crop = slicer.vtkSlicerCropVolumeLogic()
    if hasattr(crop, "SetVolumesLogic"):  # the desktop's has it, some wheels' have not
        crop.SetVolumesLogic(volumes)
    for name, logic in {
        "Volumes": volumes,
        "Terminologies": slicer.vtkSlicerTerminologiesModuleLogic(),
        "Segmentations": slicer.vtkSlicerSegmentationsModuleLogic(),
        "SubjectHierarchy": slicer.vtkSlicerSubjectHierarchyModuleLogic(),
        "Markups": slicer.vtkSlicerMarkupsLogic(),
        "Transforms": slicer.vtkSlicerTransformLogic(),
        "Models": slicer.vtkSlicerModelsLogic(),
        "Tables": slicer.vtkSlicerTablesLogic(),
        "Texts": slicer.vtkSlicerTextsLogic(),
        "CropVolume": crop,
    }.items():
        if name == "Terminologies":  # a few entries, as Slicer's own lists are not in the wheel
            logic.SetModuleShareDirectory(str(Path(__file__).parent / "terminologies"))
        logic.SetMRMLApplicationLogic(application)  # before the scene
        logic.SetMRMLScene(scene)
        application.SetModuleLogic(name, logic)
        yield name, logic
