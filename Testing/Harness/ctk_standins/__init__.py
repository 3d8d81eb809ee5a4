"""Stand-ins for the CTK widgets that Slicer offers as module `ctk`.

Each offers a part of what the real widget does, and nothing that the real one does not have;
private attributes start with an underscore. Properties and signals carry the C++ names.
"""

from Testing.Harness.ctk_standins.buttons import (
    ctkCheckBox,
    ctkColorPickerButton,
    ctkMenuButton,
    ctkPushButton,
)
from Testing.Harness.ctk_standins.collapsible import ctkCollapsibleButton, ctkCollapsibleGroupBox
from Testing.Harness.ctk_standins.paths import ctkDirectoryButton, ctkPathLineEdit
from Testing.Harness.ctk_standins.ranges import ctkRangeWidget
from Testing.Harness.ctk_standins.sliders import ctkDoubleSlider, ctkDoubleSpinBox, ctkSliderWidget
from Testing.Harness.ctk_standins.texts import (
    ctkCheckableComboBox,
    ctkComboBox,
    ctkFittedTextBrowser,
    ctkSearchBox,
)

__all__ = [
    "ctkCheckBox",
    "ctkCheckableComboBox",
    "ctkCollapsibleButton",
    "ctkCollapsibleGroupBox",
    "ctkColorPickerButton",
    "ctkComboBox",
    "ctkDirectoryButton",
    "ctkDoubleSlider",
    "ctkDoubleSpinBox",
    "ctkFittedTextBrowser",
    "ctkMenuButton",
    "ctkPathLineEdit",
    "ctkPushButton",
    "ctkRangeWidget",
    "ctkSearchBox",
    "ctkSliderWidget",
]
