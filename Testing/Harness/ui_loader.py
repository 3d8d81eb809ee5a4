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
        root = ET.fromstring(bytes(device.readAll().data()))
        self._check_classes(root)
        links = self._take_slicer_connections(root)
        for element in root.iter("customwidget"):  # all of them would take half of the time
            if (kind := self.stand_ins.get(element.findtext("class") or "")) is not None:
                self.registerCustomWidget(kind)
        buffer = QtCore.QBuffer()
        buffer.setData(ET.tostring(root))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        if widget is None:
            raise RuntimeError(self.errorString())
        for link in links:
            self._connect(widget, *link)
        return widget

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


_ENDS = ("sender", "signal", "receiver", "slot")


def _named(root: QtWidgets.QWidget, name: str) -> QtCore.QObject | None:
    if root.property("objectName") == name:
        return root
    return root.findChild(QtCore.QObject, name)
