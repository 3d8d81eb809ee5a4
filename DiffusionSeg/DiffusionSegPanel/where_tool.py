"""Where to look: the whole volume, a region, or the slice that is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from DiffusionSegBridge.prompt_nodes import createRegion, currentSliceRegion, setShown
from DiffusionSegLib.errors import PromptError
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.default_box import putBox
from DiffusionSegPanel.parameter_node import RegionMode
from DiffusionSegPanel.slice_views import sliceNodeNamed, sliceViewNames

__all__ = ["WhereTool"]

_SHARE = 0.6


class WhereTool:
    """Three radio buttons, and for a slice the view that is meant. Arguments as of BoxTool."""

    def __init__(
        self,
        ui: Any,
        parameterNode: Callable[[], Any],
        volume: Callable[[], Any],
        stopPlacing: Callable[[], None],
    ) -> None:
        self._ui, self._parameterNode, self._volume = ui, parameterNode, volume
        self._stopPlacing = stopPlacing
        self._updating = False
        self._connections = Connections()
        self._connections.add(ui.wholeRadio, "clicked()", lambda: self._choose(RegionMode.WHOLE))
        self._connections.add(ui.regionRadio, "clicked()", lambda: self._choose(RegionMode.REGION))
        self._connections.add(ui.sliceRadio, "clicked()", lambda: self._choose(RegionMode.SLICE))
        self._connections.add(ui.sliceCombo, "currentIndexChanged(int)", self._onView)

    def cleanup(self) -> None:
        """The buttons call back no more."""
        self.exit()
        self._connections.drop()

    def enter(self) -> None:
        """Show the region if it is used."""
        parameters = self._parameterNode()
        if parameters is not None:
            setShown([parameters.region], parameters.regionMode == RegionMode.REGION)

    def exit(self) -> None:
        """Hide the region."""
        parameters = self._parameterNode()
        if parameters is not None:
            setShown([parameters.region], False)

    def update(self) -> None:
        """Show what the parameter node holds."""
        parameters = self._parameterNode()
        mode = RegionMode.WHOLE if parameters is None else parameters.regionMode
        ui = self._ui
        self._updating = True
        try:
            ui.wholeRadio.setChecked(mode == RegionMode.WHOLE)
            ui.regionRadio.setChecked(mode == RegionMode.REGION)
            ui.sliceRadio.setChecked(mode == RegionMode.SLICE)
            ui.sliceCombo.setVisible(mode == RegionMode.SLICE)
            if mode == RegionMode.SLICE:
                self._fillViews(parameters.sliceViewName)
        finally:
            self._updating = False
        hasVolume = self._volume() is not None
        for radio, toolTip in (
            (ui.regionRadio, _("Look only inside a region, which is faster; drag its handles")),
            (ui.sliceRadio, _("Look only on the slice that a slice view shows")),
        ):
            radio.setEnabled(hasVolume)
            radio.toolTip = toolTip if hasVolume else _("Choose a volume first.")

    def region(self, volumeNode: Any) -> Any:
        """An ROI node, a Box, or None for the whole volume. Raises PromptError."""
        parameters = self._parameterNode()
        if parameters.regionMode == RegionMode.REGION:
            if parameters.region is None:
                raise PromptError(_("The region was deleted; choose where to look again."))
            return parameters.region
        if parameters.regionMode == RegionMode.SLICE:
            sliceNode = sliceNodeNamed(parameters.sliceViewName)
            if sliceNode is None:
                raise PromptError(
                    _("There is no slice view {name}; choose where to look again.").format(
                        name=parameters.sliceViewName
                    )
                )
            return currentSliceRegion(volumeNode, sliceNode)
        return None

    def changeTime(self) -> str:
        """Changes when another place is to be searched."""
        parameters = self._parameterNode()
        region = parameters.region
        isRegion = parameters.regionMode == RegionMode.REGION and region is not None
        moved = region.GetMTime() if isRegion else 0
        return f"{parameters.regionMode.name} {parameters.sliceViewName} {moved}"

    def _choose(self, mode: RegionMode) -> None:
        parameters = self._parameterNode()
        if parameters is None:
            return
        if mode == RegionMode.REGION and parameters.region is None:
            self._stopPlacing()
            node = createRegion(slicer.mrmlScene)
            putBox(node, self._volume(), sliceNodeNamed(parameters.sliceViewName), _SHARE)
            parameters.region = node
        parameters.regionMode = mode
        self.enter()

    def _onView(self, index: int) -> None:
        parameters = self._parameterNode()
        if parameters is not None and not self._updating and index >= 0:
            parameters.sliceViewName = self._ui.sliceCombo.itemData(index)

    def _fillViews(self, current: str) -> None:
        combo, names = self._ui.sliceCombo, sliceViewNames()
        if [combo.itemData(index) for index in range(combo.count)] != names:
            combo.clear()
            for name in names:
                combo.addItem(_("Slice shown in {view}").format(view=name), name)
        combo.setCurrentIndex(names.index(current) if current in names else -1)
