"""CTK widgets that also know the scene's units; units are left out."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import Signal

from Testing.Harness.ctk_standins import (
    ctkCollapsibleButton,
    ctkDoubleSpinBox,
    ctkRangeWidget,
    ctkSliderWidget,
)
from Testing.Harness.qmrml_standins.widget import stored


class _SetsScene:
    """Mixin with a scene and nothing that follows it."""

    def setMRMLScene(self, scene: Any) -> None:
        self.__dict__["_scene"] = scene


class _KnowsScene(_SetsScene):
    def mrmlScene(self) -> Any:
        return self.__dict__.get("_scene")


class qMRMLSliderWidget(_KnowsScene, ctkSliderWidget):
    """Slider with a unit."""

    quantity = stored(str, "quantity", "")


class qMRMLSpinBox(_KnowsScene, ctkDoubleSpinBox):
    """Spin box with a unit."""

    quantity = stored(str, "quantity", "")


class qMRMLRangeWidget(_SetsScene, ctkRangeWidget):
    """Range with a unit."""

    quantity = stored(str, "quantity", "")
    mrmlScene = stored(object, "scene", None)


class qMRMLCollapsibleButton(_SetsScene, ctkCollapsibleButton):
    """Section that hands the scene to its children."""

    mrmlSceneChanged = Signal(object)
    cppSignals: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def setMRMLScene(self, scene: Any) -> None:
        super().setMRMLScene(scene)
        self.mrmlSceneChanged.emit(scene)
