"""Stand-ins for Slicer's MRML widgets, over a real scene and the real segment editor logic.

Each offers a part of what the real widget does, and nothing that the real one does not have;
private attributes start with an underscore. Properties and signals carry the C++ names.
"""

from Testing.Harness.qmrml_standins.effect import (
    qSlicerSegmentEditorEffectFactory,
    qSlicerSegmentEditorScriptedEffect,
)
from Testing.Harness.qmrml_standins.markups import (
    qSlicerMarkupsPlaceWidget,
    qSlicerSimpleMarkupsWidget,
)
from Testing.Harness.qmrml_standins.node_combo_box import (
    qMRMLCheckableNodeComboBox,
    qMRMLNodeComboBox,
)
from Testing.Harness.qmrml_standins.numbers import (
    qMRMLCollapsibleButton,
    qMRMLRangeWidget,
    qMRMLSliderWidget,
    qMRMLSpinBox,
)
from Testing.Harness.qmrml_standins.segment_editor import qMRMLSegmentEditorWidget
from Testing.Harness.qmrml_standins.segments import (
    qMRMLSegmentationShow3DButton,
    qMRMLSegmentSelectorWidget,
    qMRMLSegmentsTableView,
)
from Testing.Harness.qmrml_standins.widget import (
    qMRMLWidget,
    qSlicerScriptedLoadableModuleWidget,
    qSlicerWidget,
)

__all__ = [
    "qMRMLCheckableNodeComboBox",
    "qMRMLCollapsibleButton",
    "qMRMLNodeComboBox",
    "qMRMLRangeWidget",
    "qMRMLSegmentEditorWidget",
    "qMRMLSegmentSelectorWidget",
    "qMRMLSegmentationShow3DButton",
    "qMRMLSegmentsTableView",
    "qMRMLSliderWidget",
    "qMRMLSpinBox",
    "qMRMLWidget",
    "qSlicerMarkupsPlaceWidget",
    "qSlicerScriptedLoadableModuleWidget",
    "qSlicerSegmentEditorEffectFactory",
    "qSlicerSegmentEditorScriptedEffect",
    "qSlicerSimpleMarkupsWidget",
    "qSlicerWidget",
]
