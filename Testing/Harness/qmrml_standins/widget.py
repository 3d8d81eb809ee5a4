"""The base of all widgets that know a MRML scene."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QWidget


class _SceneWidget(QWidget):
    """Keeps a scene; the derived class says with which names that is seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self._on_scene(scene)
            if hasattr(self, "mrmlSceneChanged"):
                self.mrmlSceneChanged.emit(scene)

    def _on_scene(self, scene: Any) -> None:
        """For the widgets that follow their scene."""


class SceneSelector(_SceneWidget):
    """A widget that has a scene but tells nobody when it changes."""

    def mrmlScene(self) -> Any:
        return self._scene


class qMRMLWidget(_SceneWidget):
    """A widget with a scene."""

    mrmlSceneChanged = Signal(object)
    cppSignals: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def mrmlScene(self) -> Any:
        return self._scene


class qSlicerWidget(_SceneWidget):
    """What a module's .ui file may have at its top."""

    mrmlSceneChanged = Signal(object)
    cppSignals: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}


class qSlicerScriptedLoadableModuleWidget(qSlicerWidget):
    """What a scripted module's widget gets as its parent."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entered = False
        self._remake: Any = None

    def reload(self) -> None:
        """Make the module's widget anew and set it up. As in Slicer it is not entered again."""
        self._remake()

    isEntered = Property(bool, lambda self: self._entered)


def stored(kind: type | str, name: str, default: Any) -> Property:
    """A property that only remembers its value."""
    attribute = f"_{name}"

    def read(self: Any) -> Any:
        return self.__dict__.get(attribute, default)

    def write(self: Any, value: Any) -> None:
        self.__dict__[attribute] = value

    return Property(kind, read, write)


class Observers:
    """VTK observations that are removed together, at the latest with the widget they belong to."""

    def __init__(self, owner: QWidget) -> None:
        self._tags: list[tuple[Any, int]] = []
        owner.destroyed.connect(self.remove_all)

    def add(self, caller: Any, event: Any, callback: Any) -> None:
        self._tags.append((caller, caller.AddObserver(event, callback)))

    def remove_all(self) -> None:
        for caller, tag in self._tags:
            caller.RemoveObserver(tag)
        self._tags.clear()
