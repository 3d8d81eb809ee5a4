"""Stand-ins for `slicer.app` and its managers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import slicer
from PySide6.QtCore import Property, QObject, QSettings, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QWidget

from Testing.Harness.extensions_manager import ExtensionsManagerModel
from Testing.Harness.nodes_io import NodesIO
from Testing.Harness.scene import SceneWorld

_ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


class LayoutManager(QObject):
    """Slice and 3D views by name; none is drawn."""

    layoutChanged = Signal(int)

    def __init__(self, world: SceneWorld) -> None:
        super().__init__()
        self._layout = 3
        self._widgets = {name: _slice_widget(world, name) for name in _ORIENTATIONS}

    def sliceViewNames(self) -> list[str]:
        return list(_ORIENTATIONS)

    def sliceWidget(self, name: str) -> Any:
        """Its slice logic and node are real; the view is not."""
        return self._widgets.get(name)

    def setLayout(self, layout: int) -> None:
        if layout != self._layout:
            self._layout = layout
            self.layoutChanged.emit(layout)

    def resetThreeDViews(self) -> None:
        """No 3D view."""

    def resetSliceViews(self) -> None:
        for widget in self._widgets.values():
            widget.sliceLogic().FitSliceToAll()

    def setRenderPaused(self, paused: bool) -> None:
        """Nothing is rendered."""

    threeDViewCount = Property(int, lambda _: 0)
    layout = Property(int, lambda self: self._layout, setLayout)


def _slice_widget(world: SceneWorld, name: str) -> SimpleNamespace:
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(world.application_logic)
    logic.SetMRMLScene(world.scene)
    logic.AddSliceNode(name).SetOrientation(_ORIENTATIONS[name])
    world.application_logic.GetSliceLogics().AddItem(logic)
    return SimpleNamespace(
        sliceLogic=lambda: logic,
        mrmlSliceNode=logic.GetSliceNode,
        sliceController=lambda: SimpleNamespace(fitSliceToBackground=logic.FitSliceToAll),
    )


class ModuleManager(QObject):
    """Finds modules by name."""

    moduleAboutToBeUnloaded = Signal(str)

    def module(self, name: str) -> Any:
        return getattr(slicer.modules, name.lower(), None)


class Application(QObject):
    """`slicer.app`."""

    startupCompleted = Signal()
    aboutToQuit = Signal()

    def __init__(self, world: SceneWorld, folder: Path, version: tuple[int, int] = (5, 12)) -> None:
        super().__init__()
        self._world, self._folder, self._version = world, folder, version
        self._settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        self._layout_manager, self._module_manager = LayoutManager(world), ModuleManager()
        self._io = NodesIO()
        self._extensions = ExtensionsManagerModel()

    def layoutManager(self) -> LayoutManager:
        return self._layout_manager

    def moduleManager(self) -> ModuleManager:
        return self._module_manager

    def extensionsManagerModel(self) -> ExtensionsManagerModel:
        return self._extensions

    def coreIOManager(self) -> NodesIO:
        return self._io

    def ioManager(self) -> NodesIO:
        return self._io

    def mrmlScene(self) -> Any:
        return self._world.scene

    def applicationLogic(self) -> Any:
        return self._world.application_logic

    def settings(self) -> QSettings:
        return self._settings

    def userSettings(self) -> QSettings:
        return self._settings

    def processEvents(self) -> None:
        QApplication.processEvents()

    def testingEnabled(self) -> bool:
        return True

    def commandOptions(self) -> SimpleNamespace:
        return SimpleNamespace(noMainWindow=True, verboseModuleDiscovery=False)

    def translate(self, context: str, text: str) -> str:
        """No translation is loaded."""
        return text

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"https://slicer.readthedocs.io/en/latest/user_guide/modules/{name.lower()}.html"

    def topLevelWidgets(self) -> list[QWidget]:
        return QApplication.topLevelWidgets()

    def pauseRender(self) -> None:
        """Nothing is rendered."""

    def resumeRender(self) -> None:
        """Nothing is rendered."""

    def setRenderPaused(self, paused: bool) -> None:
        """Nothing is rendered."""

    def palette(self) -> Any:
        return QApplication.palette()

    def setOverrideCursor(self, cursor: QCursor) -> None:
        QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QApplication.restoreOverrideCursor()

    applicationName = Property(str, lambda _: "Slicer")
    applicationVersion = Property(str, lambda self: "{}.{}.0".format(*self._version))
    majorVersion = Property(int, lambda self: self._version[0])
    minorVersion = Property(int, lambda self: self._version[1])
    revision = Property(str, lambda _: "0")
    os = Property(str, lambda _: "linux")
    arch = Property(str, lambda _: "amd64")
    slicerHome = Property(str, lambda self: str(self._folder))
    temporaryPath = Property(str, lambda self: str(self._folder))
    cachePath = Property(str, lambda self: str(self._folder))
