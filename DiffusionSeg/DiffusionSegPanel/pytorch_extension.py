"""The extension PyTorch, fetched by Slicer's Extensions Manager."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from DiffusionSegPanel.plain_signal import Signal

__all__ = ["PyTorchExtension"]

_NAME = "PyTorch"


class PyTorchExtension:
    """Asks the Extensions Manager and looks on. Signal: said (sentence).

    The list of extensions is fetched first and waited for without blocking; then the manager
    downloads and installs by itself. A new extension is loaded when Slicer starts again.
    """

    def __init__(self) -> None:
        self.said = Signal()
        self._manager: Any = None
        self._isDownloading = False

    @property
    def isInstalling(self) -> bool:
        """Whether the manager is at work for us."""
        return self._manager is not None

    def install(self) -> None:
        """Start; the end is said. Again while it runs: nothing."""
        if self.isInstalling:
            return
        manager = slicer.app.extensionsManagerModel()
        if manager is None:
            self.said.emit(
                _("This Slicer has no Extensions Manager; choose an environment of its own.")
            )
            return
        if manager.isExtensionInstalled(_NAME):
            self.said.emit(_restart())
            return
        self._manager, self._isDownloading = manager, False
        manager.connect("updateExtensionsMetadataFromServerCompleted(bool)", self._onListed)
        manager.connect("extensionInstalled(QString)", self._onInstalled)
        manager.connect("activeTasksChanged()", self._onTasks)
        self.said.emit(_("Asking the Extensions Manager for the extension PyTorch."))
        if not manager.updateExtensionsMetadataFromServer(True, False):
            self._fail()  # no address of a server: nothing will be called back

    def leave(self) -> None:
        """Wait for it no longer."""
        if self.isInstalling:
            self.cleanup()
            self.said.emit(_("Not waited for any longer; see the Extensions Manager (menu View)."))

    def cleanup(self) -> None:
        """The manager calls back no more; what it does, it goes on with."""
        manager, self._manager = self._manager, None
        if manager is not None:
            manager.disconnect("updateExtensionsMetadataFromServerCompleted(bool)", self._onListed)
            manager.disconnect("extensionInstalled(QString)", self._onInstalled)
            manager.disconnect("activeTasksChanged()", self._onTasks)

    def _onListed(self, success: bool) -> None:
        if self._manager is None or self._isDownloading:
            return  # the manager lists its extensions again when the user opens it
        manager, self._isDownloading = self._manager, True
        self.said.emit(_("The Extensions Manager downloads the extension PyTorch."))
        if not success or not manager.downloadAndInstallExtensionByName(_NAME):
            self._fail()

    def _onInstalled(self, name: str) -> None:
        if name == _NAME:
            self.cleanup()
            self.said.emit(_restart())

    def _onTasks(self) -> None:
        """A download that failed is told by nothing but the end of the task."""
        if self._manager is None or not self._isDownloading or self._manager.activeTasks:
            return
        if self._manager.isExtensionInstalled(_NAME):
            self._onInstalled(_NAME)
        else:
            self._fail()

    def _fail(self) -> None:
        if not self.isInstalling:
            return
        self.cleanup()
        self.said.emit(
            _(
                "The extension PyTorch could not be installed; look into the Extensions Manager "
                "(menu View), or choose an environment of its own, which does not need it."
            )
        )


def _restart() -> str:
    return _(
        "The extension PyTorch is installed. Restart Slicer to load it, then come back here to "
        "install torch."
    )
