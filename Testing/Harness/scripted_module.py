"""The base classes of `slicer.ScriptedLoadableModule` and the functions of `slicer.i18n`."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path
from types import ModuleType
from typing import Any

import slicer

from Testing.Harness import parameter_node_wrapper, scripted_effect


class ScriptedLoadableModule:
    """Base of the class that describes a module."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []
        parent.helpText = parent.acknowledgementText = ""
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename: str) -> str:
        return str(Path(self.parent.path).parent / "Resources" / filename)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        return f'<a href="{slicer.app.moduleDocumentationUrl(self.moduleName)}">documentation</a>'

    def runTest(self, msec: int = 100, **arguments: Any) -> None:
        """Run the module's own `NameTest` class."""
        module = importlib.import_module(type(self).__module__)
        case = getattr(module, f"{self.moduleName}Test")()
        case.messageDelay = msec
        case.runTest(**arguments)


class ScriptedLoadableModuleWidget:
    """Base of a module's widget."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent
        self.layout = parent.layout()
        manager = slicer.app.moduleManager()
        manager.connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, filename: str) -> str:
        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / filename)

    def setup(self) -> None:
        """The developer's buttons are left out."""

    def cleanup(self) -> None:
        """For the derived class."""

    def onReload(self) -> None:
        """The developer's Reload button."""
        slicer.util.reloadScriptedModule(self.moduleName)

    def _onModuleAboutToBeUnloaded(self, name: str) -> None:
        if name == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect(
                "moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded
            )


class ScriptedLoadableModuleLogic:
    """Base of a module's logic: its one parameter node per scene."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        kind = "vtkMRMLScriptedModuleNode"
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, kind)
        return node or slicer.mrmlScene.AddNode(self.createParameterNode())

    def createParameterNode(self) -> Any:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Base of a module's self-test."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*(arguments or ("runTest",)), **named)
        self.messageDelay = 0

    def delayDisplay(self, message: str, *_: Any, **__: Any) -> None:
        slicer.app.processEvents()

    def runTest(self) -> None:
        """A module's own class says which tests there are."""


def translate(context: str, text: str) -> str:
    """The application's translation, which says nothing else here."""
    return str(slicer.app.translate(context, text))


def tr(text: str) -> str:
    """The translation for the calling file."""
    return translate("", text)


def install() -> None:
    """Make `slicer.ScriptedLoadableModule` and its neighbors importable."""
    bases = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    names = {base.__name__: base for base in bases}
    _module("slicer.ScriptedLoadableModule", __all__=list(names), **names)
    _module("slicer.i18n", tr=tr, translate=translate)
    wrapper = parameter_node_wrapper
    _module(
        "slicer.parameterNodeWrapper", **{name: getattr(wrapper, name) for name in wrapper.__all__}
    )
    effects = ModuleType("SegmentEditorEffects")
    for kind in (
        scripted_effect.AbstractScriptedSegmentEditorEffect,
        scripted_effect.AbstractScriptedSegmentEditorLabelEffect,
    ):
        setattr(effects, kind.__name__, kind)
    sys.modules["SegmentEditorEffects"] = effects


def _module(full_name: str, **content: Any) -> None:
    module = ModuleType(full_name)
    vars(module).update(content)
    sys.modules[full_name] = module
    setattr(slicer, full_name.rpartition(".")[2], module)
