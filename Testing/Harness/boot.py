"""Starts the harness: slicer-core and PySide6 take the place of the Slicer application.

`boot()` may be called for every test: the process-wide parts are made once, the scene and
`slicer.app` anew. `openModule(path)` then does with a scripted module what Slicer does.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import slicer

from Testing.Harness.application import Application
from Testing.Harness.opened_module import OpenedModule
from Testing.Harness.scene import SceneWorld, make_scene
from Testing.Harness.start import start

__all__ = ["OpenedModule", "boot", "openModule"]


def boot(folder: Path | None = None, version: tuple[int, int] = (5, 12)) -> SceneWorld:
    """A fresh application state with an empty scene; `folder` takes its files and settings."""
    start()
    folder = folder or Path(tempfile.mkdtemp(prefix="harness"))
    world = make_scene(folder)
    slicer.mrmlScene = world.scene
    _list_modules(world)
    slicer.app = Application(world, folder, version)
    slicer.selfTests = {}
    slicer.qSlicerSegmentEditorEffectFactory._only = None
    return world


def _list_modules(world: SceneWorld) -> None:
    """`slicer.modules` with the modules whose logic is there."""
    modules, names = ModuleType("slicer.modules"), ModuleType("slicer.moduleNames")
    for name, logic in world.logics.items():
        entry = SimpleNamespace(name=name, path="", logic=lambda logic=logic: logic)
        setattr(modules, name.lower(), entry)
        setattr(names, name, name)
    slicer.modules, slicer.moduleNames = modules, names
    sys.modules["slicer.modules"], sys.modules["slicer.moduleNames"] = modules, names


def openModule(path: str | Path) -> OpenedModule:
    """Load the scripted module in this file, finish start-up and open its panel."""
    module = OpenedModule(Path(path).resolve())
    slicer.app.startupCompleted.emit()
    module.open()
    return module
