"""Overlays of a result: probability, uncertainty, auxiliary images, laid over or side by side."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from DiffusionSegBridge.overlays import (
    auxiliaryVolume,
    probabilityVolume,
    removeOverlays,
    shown,
    uncertaintyVolume,
)
from DiffusionSegBridge.side_by_side import SideBySide
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegPanel.appearance import setRowVisible
from DiffusionSegPanel.connections import Connections

__all__ = ["OverlayChooser"]

_NONE, _PROBABILITY, _UNCERTAINTY, _AUXILIARY = "", "probability", "uncertainty", "auxiliary:"


class OverlayChooser:
    """One overlay at a time; what was in the slice views before comes back.

    A volume is made only when it is looked at, on the grid that the method worked on: the views
    interpolate it.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._proposal: Proposal | None = None
        self._volume: Any = None
        self._overlay: Any = None
        self._beside = SideBySide()
        self._connections = Connections()
        self._connections.add(ui.overlayCombo, "currentIndexChanged(int)", self._onChosen)
        self._connections.add(ui.overlayOpacitySlider, "valueChanged(int)", self._onOpacity)
        self._connections.add(ui.sideBySideBox, "toggled(bool)", self._onSideBySide)

    def offer(self, proposal: Proposal, volume: Any) -> None:
        """The overlays of a new result; none is shown yet."""
        self.hide()
        self._volume = volume
        self._proposal = Proposal(
            proposal.evidence,
            proposal.labels,
            proposal.verdict,
            proposal.provenance,
            proposal.doubt,
            auxiliary=proposal.auxiliary,
        )
        combo = self._ui.overlayCombo
        combo.blockSignals(True)
        combo.clear()
        combo.addItem(_("None"), _NONE)
        combo.addItem(_("Probability"), _PROBABILITY)
        if proposal.doubt is not None:
            combo.addItem(_("Uncertainty"), _UNCERTAINTY)
        for name in proposal.auxiliary:
            combo.addItem(name, _AUXILIARY + name)
        combo.blockSignals(False)
        self._update()

    def exchange(self, proposal: Proposal) -> None:
        """Another proposal for the same marks: the overlay that was chosen shows what it says."""
        chosen = self._chosen()
        self.offer(proposal, self._volume)
        combo = self._ui.overlayCombo
        combo.setCurrentIndex(max(0, combo.findData(chosen)))

    def hide(self) -> None:
        """Nothing over the image, and the views as they were."""
        self._beside.restore()
        self._overlay = None
        removeOverlays()
        self._ui.overlayCombo.blockSignals(True)
        self._ui.overlayCombo.setCurrentIndex(0)
        self._ui.overlayCombo.blockSignals(False)
        self._update()

    def forget(self) -> None:
        """The result is gone."""
        self.hide()
        self._proposal = self._volume = None

    def cleanup(self) -> None:
        """The widgets call back no more."""
        self._connections.drop()
        self.forget()

    def _onChosen(self, _index: int) -> None:
        self._beside.restore()
        self._overlay = None
        removeOverlays()
        self._overlay = self._make(self._chosen())
        self._update()
        self._show()

    def _onOpacity(self, _percent: int) -> None:
        if self._overlay is None or self._beside.isShown:
            return
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if composite.GetForegroundVolumeID() == self._overlay.GetID():
                composite.SetForegroundOpacity(self._ui.overlayOpacitySlider.value / 100.0)

    def _onSideBySide(self, _isOn: bool) -> None:
        self._beside.restore()
        self._show()

    def _show(self) -> None:
        if self._overlay is None:
            return
        beside = self._ui.sideBySideBox.checked and self._chosen().startswith(_AUXILIARY)
        shown(self._overlay, not beside)
        if beside:
            self._beside.show(self._overlay)
        else:
            self._onOpacity(0)

    def _make(self, which: str) -> Any:
        if self._proposal is None or self._volume is None or self._volume.GetScene() is None:
            return None
        if which == _PROBABILITY:
            return probabilityVolume(self._proposal, self._volume)
        if which == _UNCERTAINTY:
            return uncertaintyVolume(self._proposal, self._volume)
        if which.startswith(_AUXILIARY):
            return auxiliaryVolume(self._proposal, which[len(_AUXILIARY) :], self._volume)
        return None

    def _chosen(self) -> str:
        combo = self._ui.overlayCombo
        return str(combo.itemData(combo.currentIndex) or _NONE)

    def _update(self) -> None:
        which = self._chosen()
        setRowVisible(bool(which), self._ui.overlayOpacitySlider)
        setRowVisible(which.startswith(_AUXILIARY), self._ui.sideBySideBox)
