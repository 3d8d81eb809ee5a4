"""The segment editor widget over Slicer's own segment editor logic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import slicer
from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from Testing.Harness.qmrml_standins.effect import qSlicerSegmentEditorEffectFactory
from Testing.Harness.qmrml_standins.node_combo_box import qMRMLNodeComboBox
from Testing.Harness.qmrml_standins.segments import qMRMLSegmentsTableView
from Testing.Harness.qmrml_standins.widget import Observers, qMRMLWidget, stored


class qMRMLSegmentEditorWidget(qMRMLWidget):
    """Selectors, segment table, effects and undo; masking is set on the editor node by tests."""

    currentSegmentIDChanged = Signal(str)
    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    cppSignals: ClassVar = {
        "segmentationNodeChanged(vtkMRMLSegmentationNode*)": "segmentationNodeChanged",
        "sourceVolumeNodeChanged(vtkMRMLVolumeNode*)": "sourceVolumeNodeChanged",
    }
    autoShowSourceVolumeNode = stored(bool, "auto_show", True)
    maskingSectionVisible = stored(bool, "masking_visible", True)
    specifyGeometryButtonVisible = stored(bool, "geometry_visible", True)
    show3DButtonVisible = stored(bool, "surface_visible", True)
    addRemoveSegmentButtonsVisible = stored(bool, "add_visible", True)
    switchToSegmentationsButtonVisible = stored(bool, "switch_visible", True)
    undoEnabled = stored(bool, "undo_enabled", True)
    readOnly = stored(bool, "read_only", False)
    effectColumnCount = stored(int, "columns", 2)
    unorderedEffectsVisible = stored(bool, "unordered_visible", True)
    jumpToSelectedSegmentEnabled = stored(bool, "jump", False)
    defaultTerminologyEntrySettingsKey = stored(str, "terminology_key", "")
    defaultTerminologyEntry = stored(str, "terminology", "")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._node: Any = None
        self._effects: list[Any] = []
        self._buttons: dict[str, QPushButton] = {}
        self._order: list[str] = []
        self._active: Any = None
        self._observers = Observers(self)
        self._build()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        form = QFormLayout()
        layout.addLayout(form)
        self._segmentations = _selector(self, "vtkMRMLSegmentationNode")
        self._volumes = _selector(self, "vtkMRMLScalarVolumeNode")
        self._table = qMRMLSegmentsTableView(self)
        self._grid = QGridLayout()
        self._options = QGroupBox(self)
        self._options.setLayout(QVBoxLayout())
        undo_row = QHBoxLayout()
        form.addRow("Segmentation:", self._segmentations)
        form.addRow("Source volume:", self._volumes)
        layout.addWidget(self._table)
        layout.addLayout(self._grid)
        layout.addWidget(self._options)
        layout.addLayout(undo_row)
        for text, action in (("Undo", self.undo), ("Redo", self.redo)):
            button = QPushButton(text, self)
            button.clicked.connect(lambda _=False, action=action: action())
            undo_row.addWidget(button)
        self._segmentations.currentNodeChanged.connect(self.setSegmentationNode)
        self._volumes.currentNodeChanged.connect(self.setSourceVolumeNode)
        self._table.selectionChanged.connect(self._on_row)

    def _on_row(self) -> None:
        for segment_id in self._table.selectedSegmentIDs()[:1]:
            self.setCurrentSegmentID(segment_id)

    def _on_scene(self, scene: Any) -> None:
        self._logic.SetMRMLScene(scene)
        self._segmentations.setMRMLScene(scene)
        self._volumes.setMRMLScene(scene)
        self.updateEffectList()

    # The node that remembers everything

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._observers.remove_all()
        self._node = node
        self._logic.SetSegmentEditorNode(node)
        if node is None:
            self._activate(None)
            return
        event = slicer.vtkMRMLSegmentEditorNode.EffectParameterModified
        self._observers.add(node, event, lambda *_: self._on_parameter())
        self._observers.add(node, "ModifiedEvent", lambda *_: self.updateWidgetFromMRML())
        for effect in self._effects:
            effect._call("setMRMLDefaults")
        self.updateWidgetFromMRML()

    def _on_parameter(self) -> None:
        """As in Slicer every effect is told, the active one and the others."""
        for effect in self._effects:
            effect._call("updateGUIFromMRML")

    def updateWidgetFromMRML(self) -> None:
        if self._node is not None:
            self._segmentations.setCurrentNode(self._node.GetSegmentationNode())
            self._volumes.setCurrentNode(self._node.GetSourceVolumeNode())
            if self._table.segmentationNode() is not self._node.GetSegmentationNode():
                self._table.setSegmentationNode(self._node.GetSegmentationNode())
            self._activate(self.effectByName(self._node.GetActiveEffectName() or ""))

    # What is edited

    def segmentationNode(self) -> Any:
        return self._node.GetSegmentationNode() if self._node else None

    def segmentationNodeID(self) -> str:
        return str(self._segmentations.currentNodeID)

    def sourceVolumeNode(self) -> Any:
        return self._node.GetSourceVolumeNode() if self._node else None

    def sourceVolumeNodeID(self) -> str:
        return str(self._volumes.currentNodeID)

    def setSegmentationNode(self, node: Any) -> None:
        if self._node is None or node is self.segmentationNode():
            return
        self._logic.SetSegmentationNode(node)
        self.updateWidgetFromMRML()
        self.segmentationNodeChanged.emit(node)
        if node is not None and node.GetSegmentation().GetNumberOfSegments():
            self.setCurrentSegmentID(node.GetSegmentation().GetNthSegmentID(0))

    def setSegmentationNodeID(self, node_id: str) -> None:
        self.setSegmentationNode(self._scene.GetNodeByID(node_id) if node_id else None)

    def setSourceVolumeNode(self, node: Any) -> None:
        if self._node is None or node is self.sourceVolumeNode():
            return
        self._logic.SetSourceVolumeNode(node)
        self._volumes.setCurrentNode(node)
        self._give_geometry(node)
        self.sourceVolumeNodeChanged.emit(node)

    def setSourceVolumeNodeID(self, node_id: str) -> None:
        self.setSourceVolumeNode(self._scene.GetNodeByID(node_id) if node_id else None)

    def _give_geometry(self, volume: Any) -> None:
        segmentation = self.segmentationNode()
        role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        if volume and segmentation and not segmentation.GetNodeReferenceID(role):
            segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)

    def currentSegmentID(self) -> str:
        return self._logic.GetCurrentSegmentID() or ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        if segment_id != self.currentSegmentID():
            self._logic.SetCurrentSegmentID(segment_id)
            self._table.setSelectedSegmentIDs([segment_id] if segment_id else [])
            self.currentSegmentIDChanged.emit(segment_id)

    # Effects

    def updateEffectList(self) -> None:
        for effect in qSlicerSegmentEditorEffectFactory.instance().registeredEffects():
            if effect.name not in self.availableEffectNames():
                self._add_effect(effect._python.clone())

    def _add_effect(self, effect: Any) -> None:
        effect._editor = self
        self._effects.append(effect)
        if self._node is not None:
            effect._call("setMRMLDefaults")
        effect._call("setupOptionsFrame")
        button = QPushButton(effect.title or effect.name, self)
        button.clicked.connect(lambda: self.setActiveEffectByName(effect.name))
        self._buttons[effect.name] = button
        self._grid.addWidget(button, self._grid.count() // 2, self._grid.count() % 2)
        self._options.layout().addWidget(effect.optionsFrame())
        effect.optionsFrame().hide()

    def availableEffectNames(self) -> list[str]:
        return [effect.name for effect in self._effects]

    def effectByName(self, name: str) -> Any:
        return next((effect for effect in self._effects if effect.name == name), None)

    def effectCount(self) -> int:
        return len(self._effects)

    def effectByIndex(self, index: int) -> Any:
        return self._effects[index]

    def setEffectNameOrder(self, names: Sequence[str]) -> None:
        self._order = list(names)

    def effectNameOrder(self) -> list[str]:
        return list(self._order)

    def activeEffect(self) -> Any:
        return self._active

    def setActiveEffectByName(self, name: str) -> None:
        self.setActiveEffect(self.effectByName(name) if name else None)

    def setActiveEffect(self, effect: Any) -> None:
        """The node is told, and the widget follows the node."""
        if self._node is not None:
            self._node.SetActiveEffectName(effect.name if effect else "")

    def _activate(self, effect: Any) -> None:
        if self._active is effect:
            return
        if self._active is not None:
            self._active.optionsFrame().hide()
            self._active._call("deactivate")
        self._active = effect
        if effect is not None:
            self._options.setTitle(effect.title or effect.name)
            effect._call("setMRMLDefaults")
            effect.optionsFrame().show()
            effect._call("activate")
            effect._call("updateGUIFromMRML")

    # Undo

    def saveStateForUndo(self) -> None:
        if self.undoEnabled:
            self._logic.SaveStateForUndo()

    def undo(self) -> None:
        self._logic.Undo()

    def redo(self) -> None:
        self._logic.Redo()

    def setUndoEnabled(self, enabled: bool) -> None:
        self.undoEnabled = enabled

    def setMaximumNumberOfUndoStates(self, count: int) -> None:
        self._logic.SetMaximumNumberOfUndoStates(count)

    # Views, which are left out

    def setupViewObservations(self) -> None:
        """No views."""

    def removeViewObservations(self) -> None:
        """No views."""

    def installKeyboardShortcuts(self, parent: QWidget | None = None) -> None:
        """No shortcuts."""

    def uninstallKeyboardShortcuts(self) -> None:
        """No shortcuts."""

    def rotateSliceViewsToSegmentation(self) -> None:
        """No views."""

    def setSegmentationNodeSelectorVisible(self, visible: bool) -> None:
        self._segmentations.setVisible(visible)

    def setSourceVolumeNodeSelectorVisible(self, visible: bool) -> None:
        self._volumes.setVisible(visible)

    def setSwitchToSegmentationsButtonVisible(self, visible: bool) -> None:
        self.switchToSegmentationsButtonVisible = visible

    def setMaskingSectionVisible(self, visible: bool) -> None:
        self.maskingSectionVisible = visible

    def setSpecifyGeometryButtonVisible(self, visible: bool) -> None:
        self.specifyGeometryButtonVisible = visible

    def setAddRemoveSegmentButtonsVisible(self, visible: bool) -> None:
        self.addRemoveSegmentButtonsVisible = visible

    def setReadOnly(self, read_only: bool) -> None:
        self.readOnly = read_only

    maximumNumberOfUndoStates = Property(
        int, lambda self: self._logic.GetMaximumNumberOfUndoStates(), setMaximumNumberOfUndoStates
    )
    segmentationNodeSelectorVisible = Property(
        bool, lambda self: not self._segmentations.isHidden(), setSegmentationNodeSelectorVisible
    )
    sourceVolumeNodeSelectorVisible = Property(
        bool, lambda self: not self._volumes.isHidden(), setSourceVolumeNodeSelectorVisible
    )


def _selector(parent: QWidget, kind: str) -> qMRMLNodeComboBox:
    selector = qMRMLNodeComboBox(parent)
    selector.nodeTypes = [kind]
    selector.noneEnabled = True
    return selector
