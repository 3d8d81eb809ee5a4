"""A scripted module in the harness, from start-up over its panel to its unloading."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import slicer
from PySide6.QtCore import QCoreApplication, QEvent


class OpenedModule:
    """What Slicer does with the module in the file `path`, on request.

    python: the imported file. widget: the module's widget, None while there is no panel. frame: the
    Qt widget around it, for pictures.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        self.widget: Any = None
        self.frame: Any = None
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
            widgetRepresentation=lambda: self.frame,
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
            self.frame._remake = self._make_widget
            self._make_widget()
        self.enter()
        return self.widget

    def _make_widget(self) -> None:
        self.python = sys.modules[self.name]
        self.widget = getattr(self.python, f"{self.name}Widget")(self.frame)
        setattr(slicer.modules, f"{self.name}Widget", self.widget)
        self.widget.setup()

    def enter(self) -> None:
        """The user comes to the module."""
        self.frame._entered = True
        getattr(self.widget, "enter", lambda: None)()

    def exit(self) -> None:
        """The user goes to another module."""
        self.frame._entered = False
        getattr(self.widget, "exit", lambda: None)()

    def close(self) -> None:
        """The module is unloaded, as at the end of the application and before a reload."""
        if self.widget is not None:
            slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(self.name)
            self.frame.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            self.widget = self.frame = None

    def reload(self) -> Any:
        """The developer's Reload button. Returns the new widget, in the old frame."""
        self.widget.onReload()
        return self.widget
