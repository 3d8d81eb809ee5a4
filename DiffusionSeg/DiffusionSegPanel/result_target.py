"""Where an outline goes when it is accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import slicer
from slicer.i18n import tr as _

from DiffusionSegBridge.accept import Target
from DiffusionSegPanel.appearance import setRowVisible
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["Earlier", "TargetChooser", "continues"]


@dataclass(frozen=True)
class Earlier:
    """The last result that was accepted: what was asked, and the segments it went into."""

    volumeNodeId: str
    segmentationNode: Any
    segmentIds: Mapping[int, str]
    prompt: Any


def continues(prompt: Any, earlier: Any) -> bool:
    """Whether a prompt asks for the same thing again: everything marked before is still there.

    New marks in place of the old ones ask for another object.
    """
    marks, before = (
        {*prompt.points, *prompt.boxes},
        {*earlier.points, *earlier.boxes},
    )
    return bool(prompt.text == earlier.text and before <= marks)


class TargetChooser:
    """A segmentation, a new segment or one to replace, and what happens to other segments.

    Signal: changed (). The segmentation is kept in the parameter node.
    """

    def __init__(self, ui: Any, parameterNode: Callable[[], Any]) -> None:
        self.changed = Signal()
        self._ui, self._parameterNode = ui, parameterNode
        self._fixed: Target | None = None
        self._known: Earlier | None = None
        self._labels: tuple[Any, ...] = ()
        self._updating = False
        for mode, words in (
            ("none", _("Keep their voxels")),
            ("visible", _("Visible ones give way")),
            ("all", _("All give way")),
            ("editor", _("As in the Segment Editor")),
        ):
            ui.overwriteCombo.addItem(words, mode)
        self._connections = Connections()
        self._connections.add(
            ui.targetSelector, "currentNodeChanged(vtkMRMLNode*)", self._onSegmentation
        )
        self._connections.add(ui.segmentCombo, "currentIndexChanged(int)", self._onSegment)

    @property
    def target(self) -> Target:
        """What is chosen."""
        if self._fixed is not None:
            return self._fixed
        segmentation = self._ui.targetSelector.currentNode()
        chosen = self._ui.segmentCombo.itemData(self._ui.segmentCombo.currentIndex)
        if segmentation is None or not chosen:
            return Target(segmentation)
        if self._known is not None and len(self._labels) > 1:
            return Target(segmentation, self._known.segmentIds)
        return Target(segmentation, {self._labels[0].value: chosen})

    @property
    def acceptText(self) -> str:
        """What the Accept button says: that something is replaced, when it is."""
        combo = self._ui.segmentCombo
        isReplacing = self._fixed is None and bool(self.target.segmentIds)
        return str(combo.currentText) if isReplacing else _("Accept")

    @property
    def overwrite(self) -> str:
        """One of OVERWRITE_MODES."""
        combo = self._ui.overwriteCombo
        return str(combo.itemData(combo.currentIndex))

    def offer(self, volume: Any, labels: tuple[Any, ...], prompt: Any, earlier: Any) -> None:
        """For a new outline: the segments of ``earlier`` when the prompt continues it."""
        self._fixed, self._labels = None, labels
        isOfVolume = earlier is not None and earlier.volumeNodeId == volume.GetID()
        known = earlier if isOfVolume and _isThere(earlier) else None
        self._known = known
        if known is not None and continues(prompt, known.prompt):
            self._show(known.segmentationNode, next(iter(known.segmentIds.values())))
        else:
            self._show(self._ofVolume(volume), "")

    def fix(self, target: Target) -> None:
        """For a refinement: the segments that were refined, and no choice."""
        self._fixed = target
        setRowVisible(False, self._ui.targetLabel, self._ui.targetRow)

    def remember(self, segmentation: Any) -> None:
        """An outline was accepted into it; the next one is offered the same."""
        parameters = self._parameterNode()
        if parameters is not None:
            parameters.targetSegmentation = segmentation

    def cleanup(self) -> None:
        """The widgets call back no more."""
        self._connections.drop()

    def _ofVolume(self, volume: Any) -> Any:
        """The segmentation chosen last, when it belongs to the volume."""
        parameters = self._parameterNode()
        segmentation = parameters.targetSegmentation if parameters is not None else None
        if segmentation is None:
            return None
        role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        reference = segmentation.GetNodeReference(role)
        return segmentation if reference in (None, volume) else None

    def _show(self, segmentation: Any, segmentId: str) -> None:
        self._updating = True
        try:
            setRowVisible(True, self._ui.targetLabel, self._ui.targetRow)
            self._ui.targetSelector.setMRMLScene(slicer.mrmlScene)
            self._ui.targetSelector.setCurrentNode(segmentation)
            self._fill(segmentId)
        finally:
            self._updating = False

    def _fill(self, segmentId: str) -> None:
        """The segments that can be replaced; several labels only replace what they made."""
        combo, segmentation = self._ui.segmentCombo, self._ui.targetSelector.currentNode()
        combo.clear()
        several = len(self._labels) > 1
        combo.addItem(_("New segments") if several else _("New segment"), "")
        if several and self._known is not None and self._known.segmentationNode is segmentation:
            first = next(iter(self._known.segmentIds.values()))
            combo.addItem(_("Replace the segments accepted before"), first)
        elif segmentation is not None and not several:
            for key in segmentation.GetSegmentation().GetSegmentIDs():
                name = segmentation.GetSegmentation().GetSegment(key).GetName()
                combo.addItem(_("Replace {name}").format(name=name), key)
        combo.setCurrentIndex(max(0, combo.findData(segmentId)))

    def _onSegmentation(self, segmentation: Any) -> None:
        if self._updating or self._fixed is not None:
            return
        self.remember(segmentation)
        self._updating = True
        try:
            self._fill("")
        finally:
            self._updating = False
        self.changed.emit()

    def _onSegment(self, _index: int) -> None:
        if not self._updating:
            self.changed.emit()


def _isThere(earlier: Earlier) -> bool:
    """Not undone and not deleted."""
    node = earlier.segmentationNode
    if node is None or node.GetScene() is None:
        return False
    segmentation = node.GetSegmentation()
    return all(segmentation.GetSegment(key) is not None for key in earlier.segmentIds.values())
