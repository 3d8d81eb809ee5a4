"""The base classes that a scripted segment editor effect derives from."""

from __future__ import annotations

from typing import Any

import slicer


class AbstractScriptedSegmentEditorEffect:
    """An effect without a brush. Coordinate helpers need a view and are left out."""

    def __init__(self, scriptedEffect: Any) -> None:
        self.scriptedEffect = scriptedEffect

    def register(self) -> None:
        slicer.qSlicerSegmentEditorEffectFactory.instance().registerEffect(self.scriptedEffect)

    def cleanup(self) -> None:
        """For the derived class."""


class AbstractScriptedSegmentEditorLabelEffect(AbstractScriptedSegmentEditorEffect):
    """An effect that changes the selected segment."""
