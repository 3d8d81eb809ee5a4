"""A stand-in for Slicer's Extensions Manager, with a server that a test decides about."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, QTimer, Signal


class ExtensionsManagerModel(QObject):
    """`slicer.app.extensionsManagerModel()`. Everything arrives later, as from a network.

    _served: names that the server has; None without a network. _breaks: a download that was begun
    ends with nothing. _answers: whether the server says anything at all. _address: whether Slicer
    knows where the server is.
    """

    updateExtensionsMetadataFromServerCompleted = Signal(bool)
    extensionInstalled = Signal(str)
    activeTasksChanged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._served: set[str] | None = {"PyTorch"}
        self._breaks = False
        self._answers = self._address = True
        self._installed: list[str] = []
        self._tasks: list[str] = []

    def isExtensionInstalled(self, name: str) -> bool:
        return name in self._installed

    def updateExtensionsMetadataFromServer(self, force: bool, wait: bool) -> bool:
        assert not wait, "the panel must not block"
        if self._answers and self._address:
            self._later(self._list)
        return self._address

    def downloadAndInstallExtensionByName(self, name: str) -> bool:
        if name not in (self._served or ()):
            return False
        self._tasks.append(f"install {name} extension")
        self.activeTasksChanged.emit()
        self._later(self._finish)
        return True

    def _list(self) -> None:
        self.updateExtensionsMetadataFromServerCompleted.emit(self._served is not None)

    def _finish(self) -> None:
        """As in Slicer: the extension is announced before its task ends."""
        name = self._tasks[0].split()[1]
        if not self._breaks:
            self._installed.append(name)
            self.extensionInstalled.emit(name)
        self._tasks.clear()
        self.activeTasksChanged.emit()

    def _later(self, action: object) -> None:
        QTimer.singleShot(1, action)

    activeTasks = Property("QStringList", lambda self: list(self._tasks))
