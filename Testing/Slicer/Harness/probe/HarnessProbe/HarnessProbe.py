"""A module of the usual kind: a form, a parameter node, a logic, observers, an effect, a test."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import numpy as np
import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HarnessProbe(ScriptedLoadableModule):
    def __init__(self, parent) -> None:
        super().__init__(parent)
        self.parent.title = "HarnessProbe"
        slicer.app.connect("startupCompleted()", registerEffect)


def registerEffect() -> None:
    import qSlicerSegmentationsEditorEffectsPythonQt as effects

    effect = effects.qSlicerSegmentEditorScriptedEffect(None)
    folder = Path(__file__).parent / "HarnessProbeEffects"
    effect.setPythonSource((folder / "SegmentEditorProbeEffect.py").as_posix())
    effect.self().register()


class Side(enum.Enum):
    ABOVE = "above"
    BELOW = "below"


@parameterNodeWrapper
class HarnessProbeParameterNode:
    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    threshold: Annotated[float, WithinRange(-100, 200)] = 100
    side: Side = Side.ABOVE
    note: Annotated[str, Default("nothing yet")]
    invert: bool


class HarnessProbeWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._tag = None
        self.entered = 0

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/HarnessProbe.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = HarnessProbeLogic()
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneChanged)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneChanged)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.timer = qt.QTimer()
        self.timer.setInterval(1)
        self.timer.connect("timeout()", self.onTimeout)
        self.initialize()

    def initialize(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, node) -> None:
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._tag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.check)
        self._parameterNode = node
        if node:
            self._tag = node.connectGui(self.ui)
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self.check)
            self.check()

    def check(self, caller=None, event=None) -> None:
        node = self._parameterNode
        self.ui.applyButton.enabled = bool(node and node.inputVolume and node.outputSegmentation)

    def enter(self) -> None:
        self.entered += 1
        self.initialize()

    def exit(self) -> None:
        self.setParameterNode(None)

    def cleanup(self) -> None:
        self.timer.stop()
        self.setParameterNode(None)
        self.removeObservers()

    def onSceneStartClose(self, caller, event) -> None:
        self.setParameterNode(None)

    def onSceneChanged(self, caller, event) -> None:
        self.initialize()

    def onApply(self) -> None:
        self.timer.start()

    def onTimeout(self) -> None:
        self.timer.stop()
        voxels = self.logic.process(self._parameterNode)
        self.ui.statusLabel.text = _("{count} voxels").format(count=voxels)


class HarnessProbeLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return HarnessProbeParameterNode(super().getParameterNode())

    def process(self, parameters) -> int:
        values = slicer.util.arrayFromVolume(parameters.inputVolume)
        inside = values > parameters.threshold
        if parameters.invert or parameters.side == Side.BELOW:
            inside = ~inside
        segmentation = parameters.outputSegmentation
        segmentation.CreateDefaultDisplayNodes()
        segmentation.SetReferenceImageGeometryParameterFromVolumeNode(parameters.inputVolume)
        segmentId = segmentation.GetSegmentation().AddEmptySegment("probe", "probe")
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            inside.astype(np.uint8), segmentation, segmentId, parameters.inputVolume
        )
        return int(inside.sum())


class HarnessProbeTest(ScriptedLoadableModuleTest):
    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        self.setUp()
        self.delayDisplay("Thresholding")
        volume = slicer.util.addVolumeFromArray(np.arange(24.0).reshape(2, 3, 4))
        parameters = HarnessProbeLogic().getParameterNode()
        parameters.inputVolume = volume
        parameters.outputSegmentation = slicer.mrmlScene.AddNewNodeByClass(
            "vtkMRMLSegmentationNode"
        )
        parameters.threshold = 20.0
        self.assertEqual(HarnessProbeLogic().process(parameters), 3)
