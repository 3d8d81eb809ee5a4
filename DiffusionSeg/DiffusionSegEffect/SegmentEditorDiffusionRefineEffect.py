"""The Segment Editor effect "Diffusion refine", for people who never open the module.

Slicer loads this file when it starts, so it imports nothing but Slicer; the work is in
DiffusionSegPanel.effect_refiner, which is imported when the effect is first used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _

_MODULE = Path(__file__).resolve().parent.parent


class SegmentEditorDiffusionRefineEffect(AbstractScriptedSegmentEditorEffect):
    """Improves the selected segment with a diffusion model; what the user painted stays."""

    def __init__(self, scriptedEffect: Any) -> None:
        scriptedEffect.name = "Diffusion refine"  # not translated: effects are found by name
        scriptedEffect.title = _("Diffusion refine")
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self.ui: Any = None
        self.refiner: Any = None

    def clone(self) -> Any:
        """Another one for another editor."""
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        cloned = effects.qSlicerSegmentEditorScriptedEffect(None)
        cloned.setPythonSource(Path(__file__).as_posix())
        return cloned

    def icon(self) -> Any:
        """Reads on light and dark."""
        return qt.QIcon(str(_MODULE / "Resources" / "Icons" / "DiffusionSeg.png"))

    def helpText(self) -> str:
        """Shown above the options."""
        return _(
            "Improve the selected segment with a generative diffusion model (not diffusion MRI). "
            "Paint what is missing and erase what is too much with the other effects, then press "
            "Refine: the voxels that you painted or erased stay as you left them. Undo takes the "
            "refinement back."
        )

    def setupOptionsFrame(self) -> None:
        """The options; nothing is started for them."""
        root = slicer.util.loadUI(str(_MODULE / "Resources" / "UI" / "DiffusionSegEffect.ui"))
        self.scriptedEffect.addOptionsWidget(root)
        self.ui = slicer.util.childWidgetVariables(root)
        for widget in (self.ui.stopButton, self.ui.progressBar, self.ui.structureCombo):
            widget.setVisible(False)
        self.ui.structureLabel.setVisible(False)
        self.ui.refineButton.setEnabled(False)

    def createCursor(self, _widget: Any) -> Any:
        """The ordinary cursor: this effect does nothing in the views."""
        return slicer.util.mainWindow().cursor

    def setMRMLDefaults(self) -> None:
        """An empty name stands for the first model that can refine."""
        self.scriptedEffect.setParameterDefault("Model", "")

    def updateGUIFromMRML(self) -> None:
        """A parameter or the selected segment changed."""
        if self.refiner is not None:
            self.refiner.refresh()

    def updateMRMLFromGUI(self) -> None:
        """The refiner stores what is chosen."""

    def activate(self) -> None:
        """The effect was chosen."""
        if self.refiner is None:
            from DiffusionSegPanel.effect_refiner import EffectRefiner

            self.refiner = EffectRefiner(self.scriptedEffect, self.ui)
        self.refiner.activate()

    def deactivate(self) -> None:
        """Another effect was chosen."""
        if self.refiner is not None:
            self.refiner.deactivate()

    def cleanup(self) -> None:
        """The editor is deleted."""
        refiner, self.refiner = self.refiner, None
        if refiner is not None:
            refiner.cleanup()
