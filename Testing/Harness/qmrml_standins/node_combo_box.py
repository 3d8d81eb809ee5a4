"""Chooses a node of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import slicer
import vtk
from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from Testing.Harness.qmrml_standins.widget import Observers, SceneSelector, stored


class qMRMLNodeComboBox(SceneSelector):
    """Follows the scene; the menu entries to add, rename and remove nodes are left out."""

    currentNodeChanged = Signal(object)
    _current_node_valid = Signal(bool)
    currentNodeIDChanged = Signal(str)
    currentNodeRenamed = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    cppSignals: ClassVar = {
        "currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged",
        "currentNodeChanged(bool)": "_current_node_valid",
        "nodeActivated(vtkMRMLNode*)": "nodeActivated",
        "nodeAdded(vtkMRMLNode*)": "nodeAdded",
        "nodeAddedByUser(vtkMRMLNode*)": "nodeAddedByUser",
        "nodeAboutToBeRemoved(vtkMRMLNode*)": "nodeAboutToBeRemoved",
    }
    showChildNodeTypes = stored(bool, "children_shown", True)
    addEnabled = stored(bool, "add_enabled", True)
    removeEnabled = stored(bool, "remove_enabled", True)
    editEnabled = stored(bool, "edit_enabled", False)
    renameEnabled = stored(bool, "rename_enabled", False)
    selectNodeUponCreation = stored(bool, "select_new", True)
    baseName = stored(str, "base_name", "")
    interactionNodeSingletonTag = stored(str, "interaction_tag", "")
    sizeAdjustPolicy = stored(int, "size_policy", 0)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._types: list[str] = []
        self._hidden_types: list[str] = []
        self._attributes: list[tuple[str, str, object]] = []
        self._none, self._none_text, self._show_hidden = False, "None", False
        self._node: Any = None
        self._observers = Observers(self)
        self._box = QComboBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._on_activated)
        self.setEnabled(False)  # until there is a scene

    # What is in the list

    def _accepts(self, node: Any) -> bool:
        exact = not self.showChildNodeTypes
        kinds = [kind for kind in self._types if node.IsA(kind)]
        if exact:
            kinds = [kind for kind in kinds if node.GetClassName() == kind]
        hidden = any(node.IsA(kind) for kind in self._hidden_types)
        shown = self._show_hidden or not node.GetHideFromEditors()
        return bool(kinds) and not hidden and shown and self._has_attributes(node)

    def _has_attributes(self, node: Any) -> bool:
        for kind, name, value in self._attributes:
            found = node.GetAttribute(name)
            if node.IsA(kind) and (found is None or value not in (None, found)):
                return False
        return True

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        every = map(self._scene.GetNthNode, range(self._scene.GetNumberOfNodes()))
        kinds = self._types
        kin = [node for node in every if _is_any(node, kinds)]  # few are, which is quickly seen
        return [node for node in kin if self._accepts(node)]

    def _is_kin(self, node: Any) -> bool:
        """Whether it may ever be in the list; what other nodes do changes nothing."""
        return _is_any(node, self._types)

    def _on_scene(self, scene: Any) -> None:
        self._observers.remove_all()
        self.setEnabled(scene is not None)
        if scene is None:
            self.setCurrentNode(None)
            return
        kinds = slicer.vtkMRMLScene
        for event, callback in (
            (kinds.NodeAddedEvent, self._on_added),
            (kinds.NodeAboutToBeRemovedEvent, self._on_leaving),
            (kinds.NodeRemovedEvent, self._on_removed),
        ):
            self._observers.add(scene, event, _with_node(callback))
        for event in (kinds.EndCloseEvent, kinds.EndBatchProcessEvent, kinds.EndImportEvent):
            self._observers.add(scene, event, lambda *_: self._after_batch())
        for index in range(scene.GetNumberOfNodes()):
            self._watch(scene.GetNthNode(index))
        self._after_batch()

    def _watch(self, node: Any) -> None:
        if self._is_kin(node):
            self._observers.add(node, vtk.vtkCommand.ModifiedEvent, lambda *_: self._refresh())

    def _on_added(self, node: Any) -> None:
        if not self._is_kin(node):
            return
        self._watch(node)
        self._refresh()
        if self._accepts(node):
            self.nodeAdded.emit(node)
            self._choose_any()

    def _on_leaving(self, node: Any) -> None:
        if self._accepts(node):
            self.nodeAboutToBeRemoved.emit(node)

    def _on_removed(self, node: Any) -> None:
        """Another node takes the place of a chosen one that goes, even where None is offered."""
        if node is self._node:
            row = self._box.currentIndex - self._none
            others = [other for other in self._nodes() if other is not node]
            self._select(others[min(row, len(others) - 1)] if others else None)
        if self._is_kin(node):
            self._refresh()

    def _after_batch(self) -> None:
        if self._node is not None and not self._scene.IsNodePresent(self._node):
            self._select(None)
        self._refresh()
        self._choose_any()

    def _choose_any(self) -> None:
        """Where None is not offered, the first node is chosen unasked."""
        if self._node is None and not self._none and self._nodes():
            self._select(self._nodes()[0])

    def _refresh(self) -> None:
        nodes = self._nodes()
        names = [self._none_text] * self._none + [node.GetName() or "" for node in nodes]
        if names != [self._box.itemText(row) for row in range(self._box.count)]:
            self._box.clear()
            self._box.addItems(names)
        chosen = next((row for row, node in enumerate(nodes) if node is self._node), None)
        self._box.setCurrentIndex(int(self._none) - 1 if chosen is None else chosen + self._none)

    # What is chosen

    def _on_activated(self, row: int) -> None:
        node = self._nodes()[row - self._none] if row >= self._none else None
        self._select(node)
        self.nodeActivated.emit(node)

    def _select(self, node: Any) -> None:
        if node is self._node:
            self._refresh()
            return
        self._node = node
        self._refresh()
        self.currentNodeChanged.emit(node)
        self._current_node_valid.emit(node is not None)
        self.currentNodeIDChanged.emit(node.GetID() if node else "")

    def currentNode(self) -> Any:
        return self._node

    def setCurrentNode(self, node: Any) -> None:
        if isinstance(node, str):
            self.setCurrentNodeID(node)
            return
        known = node is not None and self._scene and self._scene.IsNodePresent(node)
        if not known or not self._accepts(node):
            node = None
        self._select(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        self.setCurrentNode(self._scene.GetNodeByID(node_id) if node_id and self._scene else None)

    def setCurrentNodeIndex(self, index: int) -> None:
        self.setCurrentNode(self._nodes()[index])

    def nodeCount(self) -> int:
        return len(self._nodes())

    def nodeFromIndex(self, index: int) -> Any:
        return self._nodes()[index]

    def addNode(self, kind: str | None = None) -> Any:
        """As if the user had chosen "Create new"."""
        kind = kind or self._types[0]
        base = self.baseName or self._scene.CreateNodeByClass(kind).GetNodeTagName()
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(base))
        for of_kind, name, value in self._attributes:
            if node.IsA(of_kind) and value is not None:
                node.SetAttribute(name, str(value))
        self.nodeAddedByUser.emit(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        return node

    def removeCurrentNode(self) -> None:
        if self._node is not None:
            self._scene.RemoveNode(self._node)

    def addAttribute(self, kind: str, name: str, value: object = None) -> None:
        self._attributes.append((kind, name, None if value is None else str(value)))
        self._refresh()

    def removeAttribute(self, kind: str, name: str) -> None:
        self._attributes = [known for known in self._attributes if known[:2] != (kind, name)]
        self._refresh()

    def setNodeTypeLabel(self, label: str, kind: str) -> None:
        """Names a type in the menu, which is left out."""

    # Properties

    def _set_node_types(self, kinds: Sequence[str]) -> None:
        self._types = list(kinds)
        self._refresh()

    def _set_hide_child_node_types(self, kinds: Sequence[str]) -> None:
        self._hidden_types = list(kinds)
        self._refresh()

    def _set_none_enabled(self, enabled: bool) -> None:
        self._none = bool(enabled)
        self._refresh()

    def _set_none_display(self, text: str) -> None:
        self._none_text = text
        self._refresh()

    def _set_show_hidden(self, shown: bool) -> None:
        self._show_hidden = bool(shown)
        self._refresh()

    nodeTypes = Property("QStringList", lambda self: self._types, _set_node_types)
    hideChildNodeTypes = Property(
        "QStringList", lambda self: self._hidden_types, _set_hide_child_node_types
    )
    noneEnabled = Property(bool, lambda self: self._none, _set_none_enabled)
    noneDisplay = Property(str, lambda self: self._none_text, _set_none_display)
    showHidden = Property(bool, lambda self: self._show_hidden, _set_show_hidden)
    currentNodeID = Property(
        str, lambda self: self._node.GetID() if self._node else "", setCurrentNodeID
    )


class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """Several nodes at once."""

    checkedNodesChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._checked: list[Any] = []

    def checkedNodes(self) -> list[Any]:
        return [node for node in self._nodes() if node in self._checked]

    def checkState(self, node: Any) -> Qt.CheckState:
        return Qt.CheckState.Checked if node in self._checked else Qt.CheckState.Unchecked

    def setCheckState(self, node: Any, state: Qt.CheckState) -> None:
        self._checked = [other for other in self._checked if other is not node]
        if state == Qt.CheckState.Checked:
            self._checked.append(node)
        self.checkedNodesChanged.emit()


def _is_any(node: Any, kinds: Sequence[str]) -> bool:
    return any(map(node.IsA, kinds))


def _with_node(callback: Any) -> Any:
    """A scene observer that hands on the node the event is about."""

    def observer(_caller: Any, _event: str, node: Any) -> None:
        callback(node)

    observer.CallDataType = vtk.VTK_OBJECT
    return observer
