"""The volume that is chosen before the user chooses one."""

from __future__ import annotations

from typing import Any

import slicer

__all__ = ["chooseFirstVolume", "isOutlinable"]

_CLASSES = ("vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode")


def isOutlinable(node: Any) -> bool:
    """Whether it is a volume of the kinds that the selector offers."""
    return node.GetClassName() in _CLASSES and not node.GetHideFromEditors()


def chooseFirstVolume(parameters: Any) -> None:
    """Where no volume is chosen, choose the first one of the scene."""
    if parameters is None or parameters.inputVolume is not None:
        return
    for node in slicer.util.getNodesByClass("vtkMRMLVolumeNode"):
        if isOutlinable(node):
            parameters.inputVolume = node
            return
