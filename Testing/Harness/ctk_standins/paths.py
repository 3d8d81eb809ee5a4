"""Fields that hold a file or a folder; their dialogs are left out."""

from __future__ import annotations

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget


class ctkPathLineEdit(QWidget):
    """A path in a line edit with a browse button."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    Dirs, Files, Readable, Writable, Executable = 1, 2, 16, 32, 64

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = QLineEdit(self)
        self._filters, self._names, self._key = 0, [], ""
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addWidget(QToolButton(self))
        self._edit.textChanged.connect(self.currentPathChanged.emit)

    def setCurrentPath(self, path: str) -> None:
        self._edit.setText(path)

    def _set_filters(self, filters: int) -> None:
        self._filters = filters

    def _set_name_filters(self, names: list[str]) -> None:
        self._names = list(names)

    def _set_setting_key(self, key: str) -> None:
        self._key = key

    def addCurrentPathToHistory(self) -> None:
        """The history is left out."""

    currentPath = Property(str, lambda self: self._edit.text, setCurrentPath)
    filters = Property(int, lambda self: self._filters, _set_filters)
    nameFilters = Property("QStringList", lambda self: self._names, _set_name_filters)
    settingKey = Property(str, lambda self: self._key, _set_setting_key)


class ctkDirectoryButton(QWidget):
    """A folder."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._directory = ""

    def _set_directory(self, path: str) -> None:
        if path != self._directory:
            self._directory = path
            self.directoryChanged.emit(path)

    directory = Property(str, lambda self: self._directory, _set_directory)
