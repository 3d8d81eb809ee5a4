"""Widgets that list the segments of a segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import slicer
from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from Testing.Harness.qmrml_standins.node_combo_box import qMRMLNodeComboBox
from Testing.Harness.qmrml_standins.widget import Observers, qMRMLWidget, stored

_EVENTS = ("SegmentAdded", "SegmentRemoved", "SegmentModified", "SegmentsOrderModified")


class _FollowsSegmentation(qMRMLWidget):
    """Calls `_fill` whenever the segments of its node change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._segmentation: Any = None
        self._observers = Observers(self)

    def _follow(self, node: Any) -> None:
        self._observers.remove_all()
        self._segmentation = node
        if node is not None:
            for name in _EVENTS:
                event = getattr(slicer.vtkSegmentation, name)
                self._observers.add(node.GetSegmentation(), event, lambda *_: self._fill())
        self._fill()

    def _fill(self) -> None:
        """Show the segments anew."""

    def _ids(self) -> list[str]:
        if self._segmentation is None:
            return []
        return list(self._segmentation.GetSegmentation().GetSegmentIDs())

    def _segment(self, segment_id: str) -> Any:
        return self._segmentation.GetSegmentation().GetSegment(segment_id)


class qMRMLSegmentsTableView(_FollowsSegmentation):
    """Color and name of each segment."""

    selectionChanged = Signal(object, object)
    segmentAboutToBeModified = Signal(str)
    cppSignals: ClassVar = {"selectionChanged(QItemSelection,QItemSelection)": "selectionChanged"}
    readOnly = stored(bool, "read_only", False)
    headerVisible = stored(bool, "header_visible", True)
    filterBarVisible = stored(bool, "filter_visible", False)
    selectionMode = stored(int, "selection_mode", 3)
    visibilityColumnVisible = stored(bool, "visibility_visible", True)
    colorColumnVisible = stored(bool, "color_visible", True)
    opacityColumnVisible = stored(bool, "opacity_visible", False)
    statusColumnVisible = stored(bool, "status_visible", False)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = QTableWidget(0, 2, self)
        self._table.setHorizontalHeaderLabels(["", "Name"])
        self._table.verticalHeader().hide()
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self._table.itemSelectionChanged.connect(lambda: self.selectionChanged.emit(None, None))

    def setSegmentationNode(self, node: Any) -> None:
        self._follow(node)

    def segmentationNode(self) -> Any:
        return self._segmentation

    def _fill(self) -> None:
        selected = self.selectedSegmentIDs()
        blocked = self._table.blockSignals(True)
        self._table.setRowCount(0)
        for row, segment_id in enumerate(self._ids()):
            segment = self._segment(segment_id)
            color, name = QTableWidgetItem(), QTableWidgetItem(segment.GetName())
            color.setBackground(QColor.fromRgbF(*segment.GetColor()))
            name.setData(Qt.ItemDataRole.UserRole, segment_id)
            self._table.insertRow(row)
            self._table.setItem(row, 0, color)
            self._table.setItem(row, 1, name)
        self._table.resizeColumnsToContents()
        self._table.blockSignals(blocked)
        self.setSelectedSegmentIDs([known for known in selected if known in self._ids()])

    def segmentIDForRow(self, row: int) -> str:
        return str(self._table.item(row, 1).data(Qt.ItemDataRole.UserRole))

    def rowForSegmentID(self, segment_id: str) -> int:
        ids = [self.segmentIDForRow(row) for row in range(self._table.rowCount)]
        return ids.index(segment_id) if segment_id in ids else -1

    def selectedSegmentIDs(self) -> list[str]:
        model = self._table.selectionModel()
        return [self.segmentIDForRow(index.row()) for index in model.selectedRows()]

    def setSelectedSegmentIDs(self, segment_ids: Sequence[str]) -> None:
        if list(segment_ids) != self.selectedSegmentIDs():
            self._table.clearSelection()
            for segment_id in segment_ids:
                self._table.selectRow(self.rowForSegmentID(segment_id))

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def tableWidget(self) -> QTableWidget:
        return self._table

    segmentCount = Property(int, lambda self: len(self._ids()))


class qMRMLSegmentSelectorWidget(_FollowsSegmentation):
    """A segmentation and one of its segments."""

    currentNodeChanged = Signal(object)
    currentSegmentChanged = Signal(str)
    cppSignals: ClassVar = {"currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._none = False
        self._nodes = qMRMLNodeComboBox(self)
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.noneEnabled = True
        self._segments = QComboBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._nodes)
        layout.addWidget(self._segments)
        self._nodes.currentNodeChanged.connect(self._on_node)
        self._segments.currentIndexChanged.connect(
            lambda: self.currentSegmentChanged.emit(self.currentSegmentID())
        )

    def _on_scene(self, scene: Any) -> None:
        self._nodes.setMRMLScene(scene)

    def _on_node(self, node: Any) -> None:
        self._follow(node)
        self.currentNodeChanged.emit(node)

    def _fill(self) -> None:
        before = self.currentSegmentID()
        blocked = self._segments.blockSignals(True)
        self._segments.clear()
        if self._none:
            self._segments.addItem("None", "")
        for segment_id in self._ids():
            self._segments.addItem(self._segment(segment_id).GetName(), segment_id)
        self._segments.setCurrentIndex(max(self._segments.findData(before), 0))
        self._segments.blockSignals(blocked)
        if self.currentSegmentID() != before:
            self.currentSegmentChanged.emit(self.currentSegmentID())

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def currentNodeID(self) -> str:
        return str(self._nodes.currentNodeID)

    def setCurrentNodeID(self, node_id: str) -> None:
        self._nodes.setCurrentNodeID(node_id)

    def currentSegmentID(self) -> str:
        return self._segments.currentData or ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._segments.setCurrentIndex(self._segments.findData(segment_id))

    def segmentIDs(self) -> list[str]:
        return self._ids()

    def _set_none(self, enabled: bool) -> None:
        self._none = enabled
        self._fill()

    noneEnabled = Property(bool, lambda self: self._none, _set_none)
    segmentationNodeSelectorVisible = Property(
        bool,
        lambda self: not self._nodes.isHidden(),
        lambda self, visible: self._nodes.setVisible(visible),
    )


class qMRMLSegmentationShow3DButton(QPushButton):
    """Shows the segmentation in 3D, which has no view here."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self.setText("Show 3D")

    def setSegmentationNode(self, node: Any) -> None:
        self._node = node

    def segmentationNode(self) -> Any:
        return self._node
