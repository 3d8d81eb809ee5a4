"""The parts of the harness that exist once per process: Qt, the stand-ins, the Python modules."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from types import ModuleType
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from Testing.Harness import failures, qt_adapter
from Testing.Harness.ui_loader import QUiLoader

_kept: list[Any] = []  # what Qt must not lose; filled when the harness has started


def start() -> None:
    """Make `qt`, `ctk` and the rest of `slicer` importable. Later calls do nothing."""
    if _kept:
        return
    application = QApplication.instance() or QApplication(sys.argv[:1])
    failures.watch()
    qt_adapter.install()
    _hide_shortcuts_of_the_wheel()
    _offer_stand_ins()
    importlib.import_module("Testing.Harness.scripted_module").install()
    _offer_wrapped_libraries()
    window = QMainWindow()
    slicer.util.mainWindow = lambda: window
    _kept.extend([application, window])
    atexit.register(stop)


def stop() -> None:
    """Take everything down in the order of the real application, before Python itself goes."""
    for widget in QApplication.topLevelWidgets():
        widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    scene = getattr(slicer, "mrmlScene", None)
    if scene is not None:
        scene.RemoveAllObservers()
        scene.Clear(1)
    slicer.app = slicer.mrmlScene = None
    _kept.clear()
    gc.collect()


def _hide_shortcuts_of_the_wheel() -> None:
    """slicer-core offers all of `slicer.util` as `slicer.name` too; Slicer does not."""
    for name in [name for name in vars(slicer.util) if hasattr(slicer, name)]:
        value = getattr(slicer, name)
        if getattr(value, "__module__", "") == slicer.util.__name__:
            delattr(slicer, name)


def _offer_stand_ins() -> None:
    ctk = importlib.import_module("Testing.Harness.ctk_standins")
    qmrml = importlib.import_module("Testing.Harness.qmrml_standins")
    sys.modules["ctk"] = ctk
    for stand_ins in (ctk, qmrml):
        for name in stand_ins.__all__:
            kind = getattr(stand_ins, name)
            if stand_ins is qmrml:
                setattr(slicer, name, kind)
            if issubclass(kind, QWidget):
                QUiLoader.stand_ins[name] = kind
    effects = ModuleType("qSlicerSegmentationsEditorEffectsPythonQt")
    for name in ("qSlicerSegmentEditorScriptedEffect", "qSlicerSegmentEditorEffectFactory"):
        setattr(effects, name, getattr(qmrml, name))
    sys.modules[effects.__name__] = effects


def _offer_wrapped_libraries() -> None:
    """Slicer's names of its wrapped C++ libraries."""
    for name, core in {
        "MRMLCorePython": "MRMLCore",
        "vtkSegmentationCorePython": "vtkSegmentationCore",
        "vtkSlicerSegmentationsModuleLogicPython": "vtkSlicerSegmentationsModuleLogic",
        "vtkITK": "vtkITK",
    }.items():
        sys.modules[name] = importlib.import_module(f"slicer_core.{core}")
