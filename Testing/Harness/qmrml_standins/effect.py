"""The adaptor between a scripted effect and the segment editor."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QWidget

from Testing.Harness.qmrml_standins.widget import stored

_LOGIC = slicer.vtkSlicerSegmentEditorLogic


class qSlicerSegmentEditorScriptedEffect(QObject):
    """What a scripted effect gets as `scriptedEffect`; edits go through Slicer's own logic."""

    ModificationModeSet = _LOGIC.ModificationModeSet
    ModificationModeAdd = _LOGIC.ModificationModeAdd
    ModificationModeRemove = _LOGIC.ModificationModeRemove
    ModificationModeRemoveAll = _LOGIC.ModificationModeRemoveAll
    NotConfirmed, ConfirmedWithoutDialog, ConfirmedWithDialog = 0, 1, 2
    name = stored(str, "effect_name", "")
    title = stored(str, "title", "")
    perSegment = stored(bool, "per_segment", True)
    requireSegments = stored(bool, "require_segments", True)
    showEffectCursorInSliceView = stored(bool, "cursor_2d", True)
    showEffectCursorInThreeDView = stored(bool, "cursor_3d", False)
    pythonSource = stored(str, "source", "")

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor: Any = None
        self._python: Any = None
        self._frame = QFrame()
        self._frame.setLayout(QFormLayout())

    # Python side

    def setPythonSource(self, path: str) -> bool:
        """Make the effect from the class named like the file, which must end with Effect.

        As in Slicer the file is loaded as a module named like its folder, which takes the place of
        a package of that name, unless such a module is loaded and has the class already.
        """
        source = Path(path)
        folder, class_name = source.parent.name, source.stem
        if not hasattr(sys.modules.get(folder), class_name):
            _load_as(folder, source)
        self._python = getattr(sys.modules[folder], class_name)(self)
        setattr(slicer, folder, self._python)
        self.pythonSource = path
        return True

    def self(self) -> Any:
        return self._python

    def _call(self, name: str) -> None:
        """A method that the effect need not have."""
        getattr(self._python, name, lambda: None)()

    # Options

    def optionsFrame(self) -> QFrame:
        return self._frame

    def addOptionsWidget(self, widget: QWidget) -> None:
        self._frame.layout().addRow(widget)

    def addLabeledOptionsWidget(self, label: str, widget: QWidget) -> QLabel:
        text = QLabel(label)
        self._frame.layout().addRow(text, widget)
        return text

    # Parameters, kept in the segment editor node

    def parameterSetNode(self) -> Any:
        return self._editor.mrmlSegmentEditorNode() if self._editor else None

    def scene(self) -> Any:
        return self._editor.mrmlScene() if self._editor else None

    def parameter(self, name: str) -> str:
        node = self.parameterSetNode()
        for key in (f"{self.name}.{name}", name):
            if node.GetAttribute(key) is not None:
                return str(node.GetAttribute(key))
        return ""

    def integerParameter(self, name: str) -> int:
        return int(float(self.parameter(name) or 0))

    def doubleParameter(self, name: str) -> float:
        return float(self.parameter(name) or 0)

    def parameterDefined(self, name: str) -> bool:
        return self.parameterSetNode().GetAttribute(f"{self.name}.{name}") is not None

    def commonParameterDefined(self, name: str) -> bool:
        return self.parameterSetNode().GetAttribute(name) is not None

    def setParameter(self, name: str, value: object) -> None:
        self._store(f"{self.name}.{name}", value)

    def setCommonParameter(self, name: str, value: object) -> None:
        self._store(name, value)

    def setParameterDefault(self, name: str, value: object) -> None:
        if not self.parameterDefined(name):
            self.setParameter(name, value)

    def setCommonParameterDefault(self, name: str, value: object) -> None:
        if not self.commonParameterDefined(name):
            self.setCommonParameter(name, value)

    def _store(self, key: str, value: object) -> None:
        text = str(int(value)) if isinstance(value, bool) else str(value)
        node = self.parameterSetNode()
        if node.GetAttribute(key) != text:
            node.SetAttribute(key, text)
            node.InvokeCustomModifiedEvent(slicer.vtkMRMLSegmentEditorNode.EffectParameterModified)

    def nodeReference(self, name: str) -> Any:
        node = self.parameterSetNode()
        return node.GetNodeReference(f"{self.name}.{name}") or node.GetNodeReference(name)

    def setNodeReference(self, name: str, node: Any) -> None:
        key = f"{self.name}.{name}"
        self.parameterSetNode().SetNodeReferenceID(key, node.GetID() if node else None)

    def setCommonNodeReference(self, name: str, node: Any) -> None:
        self.parameterSetNode().SetNodeReferenceID(name, node.GetID() if node else None)

    # Images, on the reference geometry

    def _logic(self) -> Any:
        return self._editor._logic

    def referenceGeometryImage(self) -> Any:
        self._logic().UpdateReferenceGeometryImage()
        return self._logic().GetReferenceGeometryImage()

    def defaultModifierLabelmap(self) -> Any:
        self._logic().UpdateReferenceGeometryImage()
        self._logic().ResetModifierLabelmapToDefault()
        return self._logic().GetModifierLabelmap()

    def modifierLabelmap(self) -> Any:
        return self._logic().GetModifierLabelmap()

    def sourceVolumeImageData(self) -> Any:
        self.defaultModifierLabelmap()
        self._logic().UpdateAlignedSourceVolume()
        return self._logic().GetAlignedSourceVolume()

    def maskLabelmap(self) -> Any:
        self.defaultModifierLabelmap()
        self._logic().UpdateMaskLabelmap()
        return self._logic().GetMaskLabelmap()

    def selectedSegmentLabelmap(self) -> Any:
        self.defaultModifierLabelmap()
        self._logic().UpdateSelectedSegmentLabelmap()
        return self._logic().GetSelectedSegmentLabelmap()

    # Edits

    def saveStateForUndo(self) -> None:
        self._editor.saveStateForUndo()

    def modifySelectedSegmentByLabelmap(self, labelmap: Any, mode: int, *more: Any) -> None:
        node = self.parameterSetNode()
        self.modifySegmentByLabelmap(
            node.GetSegmentationNode(), node.GetSelectedSegmentID(), labelmap, mode, *more
        )

    def modifySegmentByLabelmap(
        self, segmentation: Any, segment_id: str, labelmap: Any, mode: int, *more: Any
    ) -> None:
        extents = [value for value in more if not isinstance(value, bool)]
        bypass = next((value for value in more if isinstance(value, bool)), False)
        self._logic().ModifySegmentByLabelmap(
            segmentation, segment_id, labelmap, mode, *extents, self.perSegment, bypass
        )

    def confirmCurrentSegmentVisible(self) -> int:
        return self.ConfirmedWithoutDialog

    def selectEffect(self, name: str) -> None:
        self._editor.setActiveEffectByName(name)

    def cursorOff(self, view: Any) -> None:
        """No view, no cursor."""

    def cursorOn(self, view: Any) -> None:
        """No view, no cursor."""


def _load_as(name: str, source: Path) -> None:
    spec = importlib.util.spec_from_file_location(name, source)
    if spec is None or spec.loader is None:
        raise ImportError(f"{source} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


class qSlicerSegmentEditorEffectFactory(QObject):
    """Knows the registered effects."""

    effectRegistered = Signal(str)
    _only: qSlicerSegmentEditorEffectFactory | None = None

    def __init__(self) -> None:
        super().__init__()
        self._effects: list[Any] = []

    @classmethod
    def instance(cls) -> qSlicerSegmentEditorEffectFactory:
        if cls._only is None:
            cls._only = cls()
        return cls._only

    def registerEffect(self, effect: Any) -> bool:
        """False when there is an effect of that name already."""
        if effect.name in [known.name for known in self._effects]:
            return False
        self._effects.append(effect)
        self.effectRegistered.emit(effect.name)
        return True

    def registeredEffects(self) -> list[Any]:
        return list(self._effects)
