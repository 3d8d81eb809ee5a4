"""Widgets that place control points."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QTableWidget, QToolButton, QVBoxLayout, QWidget

from Testing.Harness.qmrml_standins.node_combo_box import qMRMLNodeComboBox
from Testing.Harness.qmrml_standins.widget import qSlicerWidget, stored


class qSlicerMarkupsPlaceWidget(qSlicerWidget):
    """Starts and stops placing in the views; a test adds the points itself."""

    ShowPlaceMultipleMarkupsOption, HidePlaceMultipleMarkupsOption = 0, 1
    ForcePlaceSingleMarkup, ForcePlaceMultipleMarkups = 2, 3
    activeMarkupsPlaceModeChanged = Signal(bool)
    activeMarkupsFiducialPlaceModeChanged = Signal(bool)
    deleteAllControlPointsOptionVisible = stored(bool, "delete_all_visible", True)
    placeMultipleMarkups = stored(int, "multiple", 0)
    placeModePersistency = stored(bool, "persistent", False)
    defaultNodeColor = stored(QColor, "default_color", QColor())
    nodeColor = stored(QColor, "color", QColor())

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self._placing = False
        self._place, self._delete = QToolButton(self), QToolButton(self)
        self._place.setText("+")
        self._delete.setText("-")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._place)
        layout.addWidget(self._delete)
        self._place.clicked.connect(lambda: self.setPlaceModeEnabled(not self._placing))
        self._delete.clicked.connect(self.deleteLastPoint)

    def setCurrentNode(self, node: Any) -> None:
        if node is not self._node:
            self._node = node
            self.setPlaceModeEnabled(False)

    def currentNode(self) -> Any:
        return self._node

    def currentMarkupsNode(self) -> Any:
        return self._node

    def setPlaceModeEnabled(self, enabled: bool) -> None:
        enabled = bool(enabled) and self._node is not None
        if enabled != self._placing:
            self._placing = enabled
            self.activeMarkupsPlaceModeChanged.emit(enabled)
            self.activeMarkupsFiducialPlaceModeChanged.emit(enabled)

    def setButtonsVisible(self, visible: bool) -> None:
        self._place.setVisible(visible)
        self._delete.setVisible(visible)

    def setPlaceMultipleMarkups(self, mode: int) -> None:
        self.placeMultipleMarkups = mode

    def setPlaceModePersistency(self, persistent: bool) -> None:
        self.placeModePersistency = persistent

    def setDeleteAllControlPointsOptionVisible(self, visible: bool) -> None:
        self.deleteAllControlPointsOptionVisible = visible

    def setNodeColor(self, color: QColor) -> None:
        self.nodeColor = color

    def setDefaultNodeColor(self, color: QColor) -> None:
        self.defaultNodeColor = color

    def placeButton(self) -> QToolButton:
        return self._place

    def deleteButton(self) -> QToolButton:
        return self._delete

    def deleteLastPoint(self) -> None:
        if self._node is not None and self._node.GetNumberOfControlPoints():
            self._node.RemoveNthControlPoint(self._node.GetNumberOfControlPoints() - 1)

    def deleteAllPoints(self) -> None:
        if self._node is not None:
            self._node.RemoveAllControlPoints()

    placeModeEnabled = Property(bool, lambda self: self._placing, setPlaceModeEnabled)
    buttonsVisible = Property(bool, lambda self: not self._place.isHidden(), setButtonsVisible)


class qSlicerSimpleMarkupsWidget(qSlicerWidget):
    """A list of points with its selector and its place button; the table stays empty."""

    markupsNodeChanged = Signal()
    markupsFiducialNodeChanged = Signal()
    updateFinished = Signal()
    enterPlaceModeOnNodeChange = stored(bool, "place_on_change", True)
    jumpToSliceEnabled = stored(bool, "jump", False)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selector = qMRMLNodeComboBox(self)
        self._selector.nodeTypes = ["vtkMRMLMarkupsFiducialNode"]
        self._selector.noneEnabled = True
        self._placer = qSlicerMarkupsPlaceWidget(self)
        self._table = QTableWidget(self)
        layout = QVBoxLayout(self)
        for widget in (self._selector, self._placer, self._table):
            layout.addWidget(widget)
        self._selector.currentNodeChanged.connect(self._on_node)

    def _on_scene(self, scene: Any) -> None:
        self._selector.setMRMLScene(scene)
        self._placer.setMRMLScene(scene)

    def _on_node(self, node: Any) -> None:
        self._placer.setCurrentNode(node)
        self.markupsNodeChanged.emit()
        self.markupsFiducialNodeChanged.emit()

    def currentNode(self) -> Any:
        return self._selector.currentNode()

    def setCurrentNode(self, node: Any) -> None:
        self._selector.setCurrentNode(node)

    def setNodeBaseName(self, name: str) -> None:
        self._selector.baseName = name

    def setNodeSelectorVisible(self, visible: bool) -> None:
        self._selector.setVisible(visible)

    def markupsPlaceWidget(self) -> qSlicerMarkupsPlaceWidget:
        return self._placer

    def markupsSelectorComboBox(self) -> qMRMLNodeComboBox:
        return self._selector

    def tableWidget(self) -> QTableWidget:
        return self._table

    nodeSelectorVisible = Property(
        bool, lambda self: not self._selector.isHidden(), setNodeSelectorVisible
    )
