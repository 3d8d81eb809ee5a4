"""An effect of the usual kind: it fills everything brighter than a value."""

import ctk
import numpy as np
import slicer
import vtk.util.numpy_support
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _


class SegmentEditorProbeEffect(AbstractScriptedSegmentEditorEffect):
    def __init__(self, scriptedEffect) -> None:
        scriptedEffect.name = "Probe"
        scriptedEffect.title = _("Probe")
        scriptedEffect.perSegment = True
        super().__init__(scriptedEffect)

    def clone(self):
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        cloned = effects.qSlicerSegmentEditorScriptedEffect(None)
        cloned.setPythonSource(__file__.replace("\\", "/"))
        return cloned

    def setupOptionsFrame(self) -> None:
        self.slider = ctk.ctkSliderWidget()
        self.slider.minimum = 0
        self.slider.maximum = 100
        self.scriptedEffect.addLabeledOptionsWidget(_("Above:"), self.slider)
        self.slider.connect("valueChanged(double)", self.onSlider)

    def setMRMLDefaults(self) -> None:
        self.scriptedEffect.setParameterDefault("Above", 15)

    def updateGUIFromMRML(self) -> None:
        self.slider.value = self.scriptedEffect.doubleParameter("Above")

    def onSlider(self, value) -> None:
        self.scriptedEffect.setParameter("Above", value)

    def onApply(self) -> None:
        source = self.scriptedEffect.sourceVolumeImageData()
        labelmap = slicer.vtkOrientedImageData()
        labelmap.DeepCopy(self.scriptedEffect.defaultModifierLabelmap())
        values = vtk.util.numpy_support.vtk_to_numpy(source.GetPointData().GetScalars())
        above = values > self.scriptedEffect.doubleParameter("Above")
        labels = vtk.util.numpy_support.vtk_to_numpy(labelmap.GetPointData().GetScalars())
        np.copyto(labels, above.astype(labels.dtype))
        self.scriptedEffect.saveStateForUndo()
        self.scriptedEffect.modifySelectedSegmentByLabelmap(
            labelmap, self.scriptedEffect.ModificationModeSet
        )
