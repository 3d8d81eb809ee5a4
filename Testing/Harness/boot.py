"""Starts the harness: slicer-core and PySide6 take the place of the Slicer application.

`boot()` may be called for every test: the process-wide parts are made once, the scene and
`slicer.app` anew. `openModule(path)` then does with a scripted module what Slicer does.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from Testing.Harness import failures, qt_adapter
from Testing.Harness.scene import SceneWorld, make_scene
from Testing.Harness.ui_loader import QUiLoader


def boot(folder: Path | None = None, version: tuple[int, int] = (5, 12)) -> SceneWorld:
    """A fresh application state with an empty scene; `folder` takes its files and settings."""
    _start_once()
    folder = folder or Path(tempfile.mkdtemp(prefix="harness"))
    world = make_scene(folder)
    slicer.mrmlScene = world.scene
    _list_modules(world)
    from Testing.Harness.application import Application

    slicer.app = Application(world, folder, version)
    slicer.selfTests = {}
    slicer.qSlicerSegmentEditorEffectFactory._only = None
    return world


def _start_once() -> None:
    if "qt" in sys.modules:
        return
    if QApplication.instance() is None:
        vars(_start_once)["application"] = QApplication(sys.argv[:1])
    failures.watch()
    qt_adapter.install()
    ctk = importlib.import_module("Testing.Harness.ctk_standins")
    qmrml = importlib.import_module("Testing.Harness.qmrml_standins")
    _hide_shortcuts_of_the_wheel()
    sys.modules["ctk"] = ctk
    for stand_ins in (ctk, qmrml):
        for name in stand_ins.__all__:
            kind = getattr(stand_ins, name)
            if stand_ins is qmrml:
                setattr(slicer, name, kind)
            if issubclass(kind, QWidget):
                QUiLoader.stand_ins[name] = kind
    _add_python_modules(qmrml)
    window = QMainWindow()
    slicer.util.mainWindow = lambda: window


def _hide_shortcuts_of_the_wheel() -> None:
    """slicer-core offers all of `slicer.util` as `slicer.name` too; Slicer does not."""
    for name in [name for name in vars(slicer.util) if hasattr(slicer, name)]:
        value = getattr(slicer, name)
        if getattr(value, "__module__", "") == slicer.util.__name__:
            delattr(slicer, name)


def _add_python_modules(qmrml: ModuleType) -> None:
    scripted_module = importlib.import_module("Testing.Harness.scripted_module")
    scripted_module.install()
    effects = ModuleType("qSlicerSegmentationsEditorEffectsPythonQt")
    for name in ("qSlicerSegmentEditorScriptedEffect", "qSlicerSegmentEditorEffectFactory"):
        setattr(effects, name, getattr(qmrml, name))
    sys.modules[effects.__name__] = effects
    for name, core in {
        "MRMLCorePython": "MRMLCore",
        "vtkSegmentationCorePython": "vtkSegmentationCore",
        "vtkSlicerSegmentationsModuleLogicPython": "vtkSlicerSegmentationsModuleLogic",
        "vtkITK": "vtkITK",
    }.items():
        sys.modules[name] = importlib.import_module(f"slicer_core.{core}")


def _list_modules(world: SceneWorld) -> None:
    """`slicer.modules` with the modules whose logic is there."""
    modules, names = ModuleType("slicer.modules"), ModuleType("slicer.moduleNames")
    for name, logic in world.logics.items():
        entry = SimpleNamespace(name=name, path="", logic=lambda logic=logic: logic)
        setattr(modules, name.lower(), entry)
        setattr(names, name, name)
    slicer.modules, slicer.moduleNames = modules, names
    sys.modules["slicer.modules"], sys.modules["slicer.moduleNames"] = modules, names


class OpenedModule:
    """A module as Slicer has it after start-up; `open` shows its panel."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        self.widget: Any = None
        self.load()

    def load(self) -> None:
        """Import the file and construct the module class, as Slicer does when it starts."""
        if str(self.path.parent) not in sys.path:
            sys.path.insert(0, str(self.path.parent))
        sys.modules.pop(self.name, None)
        self.python = importlib.import_module(self.name)
        self.parent = SimpleNamespace(path=str(self.path))
        self.instance = getattr(self.python, self.name)(self.parent)
        entry = SimpleNamespace(
            name=self.name,
            path=str(self.path),
            title=self.parent.title,
            widgetRepresentation=lambda: self.widget.parent if self.widget else None,
        )
        setattr(slicer.modules, self.name.lower(), entry)
        setattr(slicer.modules, f"{self.name}Instance", self.instance)
        setattr(slicer.moduleNames, self.name, self.name)

    def open(self) -> Any:
        """Make the panel and enter it, as when the user chooses the module. Returns the widget."""
        if self.widget is None:
            self.frame = slicer.qSlicerScriptedLoadableModuleWidget()
            self.frame.setLayout(sys.modules["qt"].QVBoxLayout())
            self.frame.setMRMLScene(slicer.mrmlScene)
            self.widget = getattr(self.python, f"{self.name}Widget")(self.frame)
            setattr(slicer.modules, f"{self.name}Widget", self.widget)
            self.widget.setup()
        self.enter()
        return self.widget

    def enter(self) -> None:
        """The user comes to the module."""
        getattr(self.widget, "enter", lambda: None)()

    def exit(self) -> None:
        """The user goes to another module."""
        getattr(self.widget, "exit", lambda: None)()

    def close(self) -> None:
        """The module is unloaded, as at the end of the application and before a reload."""
        if self.widget is not None:
            slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(self.name)
            self.frame.deleteLater()
            self.widget = None

    def reload(self) -> Any:
        """The developer's Reload button. Returns the new widget."""
        self.close()
        self.load()
        return self.open()


def openModule(path: str | Path) -> OpenedModule:
    """Load the scripted module in this file, finish start-up and open its panel."""
    module = OpenedModule(Path(path).resolve())
    slicer.app.startupCompleted.emit()
    module.open()
    return module
