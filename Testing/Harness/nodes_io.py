"""Loads and saves nodes by file name, as `slicer.util.loadVolume` and its relatives need it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
from PIL import Image

_TYPES = {
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr"),
    "MarkupsFile": (".mrk.json",),
    "SceneFile": (".mrb", ".mrml"),
    "TransformFile": (".h5", ".tfm"),
    "VolumeFile": (".nrrd", ".nii", ".nii.gz", ".mha", ".mhd", ".nhdr"),
}
_PHOTOGRAPHS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


class NodesIO:
    """The few file types that the project's data has."""

    def fileType(self, path: str) -> str:
        if path.lower().endswith(_PHOTOGRAPHS):
            return "VolumeFile"
        for kind, endings in _TYPES.items():
            if path.lower().endswith(endings):
                return kind
        return "NoFile"

    def loadNodes(self, kind: str, properties: Any, nodes: Any, messages: Any = None) -> bool:
        path = properties["fileName"]
        if kind == "SceneFile":
            return _load_scene(path, bool(properties.get("clear")))
        name = properties.get("name") or Path(path).name.split(".")[0]
        node = _LOADERS[kind](path, name)
        if node is not None:
            nodes.AddItem(node)
        return node is not None

    def saveNodes(self, kind: str, properties: Any, messages: Any = None) -> bool:
        if kind == "SceneFile":
            return _save_scene(properties["fileName"])
        node = slicer.mrmlScene.GetNodeByID(properties["nodeID"])
        node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(properties["fileName"])
        return bool(storage.WriteData(node))

    def fileWriterFileType(self, node: Any, extension: str = "") -> str:
        return str(node.GetClassName())

    def saveScene(self, path: str, screenshot: Any = None) -> bool:
        return _save_scene(path)


def _save_scene(path: str) -> bool:
    if path.endswith(".mrb"):
        return bool(slicer.mrmlScene.WriteToMRB(path))
    slicer.mrmlScene.SetURL(path)
    return bool(slicer.mrmlScene.Commit())


def _load_scene(path: str, clear: bool) -> bool:
    if path.endswith(".mrb"):
        return bool(slicer.mrmlScene.ReadFromMRB(path, clear))
    slicer.mrmlScene.SetURL(path)
    return bool(slicer.mrmlScene.Connect() if clear else slicer.mrmlScene.Import())


def _load_volume(path: str, name: str) -> Any:
    if path.lower().endswith(_PHOTOGRAPHS):
        return _load_photograph(path, name)
    return slicer.modules.volumes.logic().AddArchetypeVolume(path, name, 0)


def _load_photograph(path: str, name: str) -> Any:
    """One slice with pixels of 1 mm, as Slicer reads it; slicer-core has no readers for these."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture)[None]
    kind = "vtkMRMLVectorVolumeNode" if pixels.ndim == 4 else "vtkMRMLScalarVolumeNode"
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])  # rows go to posterior, columns to the left
    return slicer.util.addVolumeFromArray(pixels, to_ras, name, kind)


def _load_segmentation(path: str, name: str) -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(path)
    node.SetAndObserveStorageNodeID(storage.GetID())
    if storage.ReadData(node):
        node.CreateDefaultDisplayNodes()
        return node
    slicer.mrmlScene.RemoveNode(node)
    return None


def _load_markups(path: str, name: str) -> Any:
    node_id = slicer.modules.markups.logic().LoadMarkups(path, name)
    return slicer.mrmlScene.GetNodeByID(node_id) if node_id else None


def _load_transform(path: str, name: str) -> Any:
    return slicer.modules.transforms.logic().AddTransform(path, slicer.mrmlScene)


_LOADERS = {
    "VolumeFile": _load_volume,
    "SegmentationFile": _load_segmentation,
    "MarkupsFile": _load_markups,
    "TransformFile": _load_transform,
}
