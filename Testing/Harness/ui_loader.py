"""Loads .ui files with stand-ins for Slicer's widgets, and refuses what Slicer would refuse."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from Testing.Harness.qt_signals import split


class QUiLoader(QtUiTools.QUiLoader):
    """`load` returns the widget tree.

    Raises:
        RuntimeError: an unknown or undeclared widget class, or a connection that leads nowhere.
    """

    stand_ins: dict[str, type[QtWidgets.QWidget]] = {}  # filled when the harness starts  # noqa: RUF012

    def load(self, device: Any, parent: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget:
        content = bytes(device.readAll().data())
        if content not in _prepared:
            _prepared[content] = self._prepare(ET.fromstring(content))
        adapted, links, kinds = _prepared[content]
        for kind in kinds:  # all of them would take half of the time
            self.registerCustomWidget(self.stand_ins[kind])
        buffer = QtCore.QBuffer()
        buffer.setData(adapted)
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        if widget is None:
            raise RuntimeError(self.errorString())
        for link in links:
            self._connect(widget, *link)
        return widget

    def _prepare(self, root: ET.Element) -> _Prepared:
        """For Qt's own loader: the file, connections to be made after it, stand-ins that it needs.

        A page is opened for nearly every test, and its files are always the same.
        """
        self._check_classes(root)
        links = self._take_slicer_connections(root)
        kinds = [element.findtext("class") or "" for element in root.iter("customwidget")]
        return ET.tostring(root), links, [kind for kind in kinds if kind in self.stand_ins]

    def _check_classes(self, root: ET.Element) -> None:
        used = {str(element.get("class")) for element in root.iter("widget")}
        foreign = {name for name in used if not hasattr(QtWidgets, name)}
        declared = {element.findtext("class") for element in root.iter("customwidget")}
        if missing := foreign - set(self.stand_ins):
            raise RuntimeError(f"The harness has no stand-in for {sorted(missing)}.")
        if missing := foreign - declared:
            raise RuntimeError(f"{sorted(missing)} are used but not declared in <customwidgets>.")

    def _take_slicer_connections(self, root: ET.Element) -> list[tuple[str, str, str, str]]:
        """Cut out the connections with MRML arguments, which Qt's own loader cannot make."""
        taken = []
        for parent in root.iter("connections"):
            for entry in list(parent):
                parts = [entry.findtext(tag) or "" for tag in _ENDS]
                if "vtkMRML" in parts[1]:
                    taken.append((parts[0], parts[1], parts[2], parts[3]))
                    parent.remove(entry)
        return taken

    def _connect(
        self, root: QtWidgets.QWidget, sender: str, signal: str, receiver: str, slot: str
    ) -> None:
        ends = [_named(root, name) for name in (sender, receiver)]
        if None in ends:
            raise RuntimeError(f"{sender}.{signal} -> {receiver}.{slot}: no such widget.")
        function = getattr(ends[1], split(slot)[0], None)
        if function is None:
            raise RuntimeError(f"{sender}.{signal} -> {receiver}.{slot}: no such slot.")
        ends[0].connect(signal, function)


_Prepared = tuple[bytes, list[tuple[str, str, str, str]], list[str]]
_prepared: dict[bytes, _Prepared] = {}
_ENDS = ("sender", "signal", "receiver", "slot")


def _named(root: QtWidgets.QWidget, name: str) -> QtCore.QObject | None:
    if root.property("objectName") == name:
        return root
    return root.findChild(QtCore.QObject, name)
