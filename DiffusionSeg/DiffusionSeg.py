"""The module in 3D Slicer: outlines structures with generative diffusion models.

Not diffusion MRI, not for clinical use. This file only connects Slicer with the page
(DiffusionSegPanel), the bridge (DiffusionSegBridge) and the engine (DiffusionSegLib), which are
imported when the module is opened.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

_OLDEST_PYTHON = (3, 10)
_OWN_PACKAGES = ("DiffusionSegPanel", "DiffusionSegBridge")
_HERE = Path(__file__).resolve().parent


class DiffusionSeg(ScriptedLoadableModule):
    """What Slicer knows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "DiffusionSeg"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations", "Markups", "Volumes"]
        parent.contributors = ["DiffusionSeg contributors"]
        parent.helpText = _(
            "Outlines structures in CT, MR and photographs with generative diffusion models. This "
            "is not diffusion MRI (DWI, DTI). Choose a volume and a model, mark the structure if "
            "the model asks for it, and press Segment. Not for clinical use."
        )
        parent.helpText += self.getDefaultModuleDocumentationLink()
        parent.acknowledgementText = _(
            "The methods and the data that models were trained on are cited in the tool tip under "
            "the model."
        )
        slicer.app.connect("startupCompleted()", _onStartupCompleted)


class DiffusionSegWidget(ScriptedLoadableModuleWidget):
    """Hands Slicer's calls to the page."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        self.page = self.logic = self.ui = None

    def setup(self):
        """Build the page; nothing is computed or downloaded for it."""
        ScriptedLoadableModuleWidget.setup(self)
        problem = whyNotRunnable()
        if problem:
            self._sayInstead(problem)
            return
        from DiffusionSegPanel.page import Page

        root = slicer.util.loadUI(self.resourcePath("UI/DiffusionSeg.ui"))
        self.layout.addWidget(root)
        self.ui = slicer.util.childWidgetVariables(root)
        root.setMRMLScene(slicer.mrmlScene)
        self.logic = DiffusionSegLogic()
        self.page = Page(self.ui, self.resourcePath, self.logic.getParameterNode)
        slicer.app.connect("aboutToQuit()", self.cleanup)
        if self.parent.isEntered:  # after Reload, when Slicer does not call enter() again
            self.enter()

    def enter(self):
        """The user comes to the module."""
        if self.page is not None:
            self.page.enter()

    def exit(self):
        """The user goes to another module."""
        if self.page is not None:
            self.page.exit()

    def cleanup(self):
        """Reload or the end of Slicer; may be called again."""
        page, self.page = self.page, None
        if page is not None:
            slicer.app.disconnect("aboutToQuit()", self.cleanup)
            page.cleanup()

    def onReload(self):
        """Reload the page and the bridge too, for developers."""
        self.cleanup()
        for name in [name for name in sys.modules if name.partition(".")[0] in _OWN_PACKAGES]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _sayInstead(self, sentence):
        label = qt.QLabel(sentence)
        label.setWordWrap(True)
        label.toolTip = sentence
        self.layout.addWidget(label)
        self.layout.addStretch(1)


class DiffusionSegLogic(ScriptedLoadableModuleLogic):
    """For the page and for scripts; needs no widget."""

    def getParameterNode(self):
        """The DiffusionSegParameterNode of the scene."""
        from DiffusionSegPanel.parameter_node import DiffusionSegParameterNode

        return DiffusionSegParameterNode(ScriptedLoadableModuleLogic.getParameterNode(self))

    def segment(self, volumeNodes, **options):
        """Outline without the page and wait for it; returns a new segmentation node.

        See DiffusionSegPanel.outline_once for the options. Raises DiffusionSegError.
        """
        from DiffusionSegPanel.outline_once import outlineOnce

        return outlineOnce(volumeNodes, **options)


class DiffusionSegTest(ScriptedLoadableModuleTest):
    """A bundled sample, the real worker, a known outline."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Run every test of this class."""
        problem = whyNotRunnable()
        if problem:
            self.skipTest(problem)
        self.setUp()
        self.test_sampleIsOutlined()

    def test_sampleIsOutlined(self):
        """The outline of the first sample agrees with the one drawn by experts."""
        from DiffusionSegPanel.self_test import checkSample

        self.delayDisplay(_("Outlining a sample"))
        dice = checkSample(DiffusionSegLogic())
        self.delayDisplay(_("Done, Dice {dice}").format(dice=f"{dice:.2f}"))
        self.assertGreater(dice, 0.7)


def whyNotRunnable():
    """One sentence when this Slicer cannot run the module, else ""; makes the engine importable."""
    if sys.version_info < _OLDEST_PYTHON:
        return _(
            "DiffusionSeg needs Slicer with Python {needed}, and this one has {found}; install "
            "Slicer 5.12 or later."
        ).format(needed="3.10", found="{}.{}".format(*sys.version_info))
    if importlib.util.find_spec("DiffusionSegLib") is None:
        checkout = _HERE.parent
        if not (checkout / "DiffusionSegLib").is_dir():
            return _("The package DiffusionSegLib is missing; install the extension again.")
        sys.path.append(str(checkout))
    return ""


def _onStartupCompleted():
    """Register samples and the Segment Editor effect; Slicer starts whatever happens here."""
    if whyNotRunnable():
        return
    for register in (_registerSamples, _registerEffect):
        try:
            register()
        except Exception:  # noqa: BLE001 - nothing here may disturb Slicer's start
            sys.excepthook(*sys.exc_info())


def _registerSamples():
    from DiffusionSegPanel.sample_data import registerSampleData

    registerSampleData()


def _registerEffect():
    import qSlicerSegmentationsEditorEffectsPythonQt as effects

    source = _HERE / "DiffusionSegEffect" / "SegmentEditorDiffusionRefineEffect.py"
    if source.is_file():
        effect = effects.qSlicerSegmentEditorScriptedEffect(None)
        effect.setPythonSource(source.as_posix())
        effect.self().register()
