"""Refining on the page: Slicer's own editor on the accepted segment, and Refine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from DiffusionSegBridge.accept import Accepted, Target
from DiffusionSegBridge.editor_widget import WidgetEditor
from DiffusionSegBridge.segment_groups import acceptedTogether, labelOf
from DiffusionSegBridge.segments import presentSegment, readSegments, segmentOf
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import DiffusionSegError, InputError
from DiffusionSegPanel.appearance import mute, setRowVisible
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.page_part import loadInto
from DiffusionSegPanel.result_section import Refinement
from DiffusionSegPanel.shared import rememberAsSeen, shared

__all__ = ["RefineSection", "ownEditorNode"]

_SINGLETON = "DiffusionSeg"


class RefineSection(VTKObservationMixin):
    """Slicer's Segment Editor on the segments that were accepted, and a Refine button.

    resultSection: gets this editor's undo, and its `accepted` chooses what is edited.
    ``request`` must be set by the page: it returns (volumeNodes, Setup, Prompt) as they stand, or
    None when no volume is chosen; so a segment that came from a file can be refined as well.
    ``labels`` may be set: the Labels of the chosen model, to ask which of them a segment shows;
    ``volume``: the volume that is chosen, whether or not there is a worker.
    """

    def __init__(
        self,
        placeholder: Any,
        outliner: Any,
        resultSection: Any,
        resourcePath: Callable[[str], str],
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._connections = Connections()
        self.request: Callable[[], tuple[list[Any], Any, Any] | None] = lambda: None
        self.labels: Callable[[], Sequence[Any]] = tuple
        self.volume: Callable[[], Any] = lambda: None
        self._outliner, self._result = outliner, resultSection
        self._known = shared().knownMasks
        self._isEntered = self._isWatching = False
        self._asked: Any = None  # what the choice of a structure was about
        self._load(placeholder, resourcePath)
        self._section = _collapsibleAround(placeholder)
        self._connect()
        self.editor.setMRMLSegmentEditorNode(ownEditorNode())
        resultSection.setEditor(WidgetEditor(self.editor))
        self._update()

    def enter(self) -> None:
        """The module is shown."""
        self._isEntered = True
        self.editor.setMRMLSegmentEditorNode(ownEditorNode())
        self._watch()
        self._update()

    def exit(self) -> None:
        """The module is left: no effect stays active, no shortcut stays installed."""
        self._isEntered = False
        self._unwatch()

    def cleanup(self) -> None:
        """The page is closed for good; may be called again."""
        self.exit()
        self.removeObservers()
        self._connections.drop()
        self.editor.setMRMLSegmentEditorNode(None)

    def update(self) -> None:
        """The volume or the model may be another one, or known only now."""
        self._onSegment()

    def onSceneClose(self) -> None:
        """Everything edited is gone with the scene."""
        self._unwatch()
        self._known.clear()
        self.editor.setSegmentationNode(None)

    def refine(self) -> None:
        """Send the edited segments; the answer comes to the result section."""
        try:
            self._send()
        except DiffusionSegError as error:
            self._result.said.emit(str(error))

    def _send(self) -> None:
        request = self.request()
        if request is None:
            self._result.said.emit("")  # the page says why, as long as it is so
            return
        volumes, setup, prompt = request
        segmentation, ids = self._edited(_modelId(setup))
        edited = readSegments(segmentation, ids, worldGeometry(volumes[0]))
        if edited.is_empty:
            name = segmentOf(segmentation, next(iter(ids.values()))).GetName()
            raise InputError(
                _("The segment {name} is empty here; paint some of it, then refine.").format(
                    name=name
                )
            )
        original = self._known.original(segmentation, ids, edited)
        refinement = Refinement(Target(segmentation, ids), edited, original)
        self._result.expectRefinement(refinement)
        self._outliner.refine(volumes, setup, edited, prompt, original)

    def _edited(self, model: str) -> tuple[Any, dict[int, str]]:
        """The segmentation, and label value to segment of what is refined together."""
        segmentation, segmentId = self._chosen()
        if segmentation is None or not segmentId:
            raise InputError(_("No segment is chosen; accept an outline or choose one."))
        together = acceptedTogether(segmentation, segmentId, model)
        if together:
            return segmentation, together
        combo = self.ui.structureCombo
        value = combo.itemData(combo.currentIndex) if len(self.labels()) > 1 else None
        labels = self.labels()
        return segmentation, {int(value or (labels[0].value if labels else 1)): segmentId}

    def _load(self, placeholder: Any, resourcePath: Callable[[str], str]) -> None:
        self.ui = loadInto(placeholder, resourcePath("UI/DiffusionSegRefine.ui"))
        self.editor = self.ui.segmentEditor
        # The page's own volume is the source.
        self.editor.setSourceVolumeNodeSelectorVisible(False)
        self.editor.setSwitchToSegmentationsButtonVisible(False)
        mute(self.ui.refineHintLabel)

    def _connect(self) -> None:
        self._connections.add(self.ui.refineButton, "clicked()", self.refine)
        self._connections.add(self.editor, "currentSegmentIDChanged(QString)", self._onSegment)
        self._connections.add(
            self.editor, "segmentationNodeChanged(vtkMRMLSegmentationNode*)", self._onSegment
        )
        if self._section is not None:
            self._connections.add(self._section, "contentsCollapsed(bool)", self._onCollapsed)
        self._connections.listen(self._result.accepted, self._onAccepted)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneClosed)

    # Who gets the keys and the mouse

    def _watch(self) -> None:
        """Effects work in the views and keys reach the editor, while it can be seen."""
        isOpen = self._section is None or not self._section.collapsed
        if self._isEntered and isOpen and not self._isWatching:
            self._isWatching = True
            self.editor.setupViewObservations()
            self.editor.installKeyboardShortcuts()

    def _unwatch(self) -> None:
        if self._isWatching:
            self._isWatching = False
            self.editor.setActiveEffect(None)
            self.editor.uninstallKeyboardShortcuts()
            self.editor.removeViewObservations()

    def _onCollapsed(self, isCollapsed: bool) -> None:
        if isCollapsed:
            self._unwatch()
        else:
            self._watch()

    # What is edited

    def _onAccepted(self, accepted: Accepted, answer: Any) -> None:
        if accepted.mask is None:
            return
        node, ids = accepted.segmentationNode, accepted.segmentIds
        self._known.remember(node, ids, accepted.mask)
        self.editor.setSegmentationNode(node)
        volume = slicer.mrmlScene.GetNodeByID(answer.volumeNodeId)
        self.editor.setSourceVolumeNode(volume)
        self.editor.setCurrentSegmentID(next(iter(ids.values())))
        self._update()

    def _onSegment(self, _what: Any = None) -> None:
        if self._isEntered:
            self._giveVolume()
            self._rememberAsSeen()
        self._update()

    def _chosen(self) -> tuple[Any, str]:
        """The segmentation and the segment in the editor."""
        segmentation = self.editor.segmentationNode()
        return segmentation, presentSegment(segmentation, self.editor.currentSegmentID())

    def _giveVolume(self) -> None:
        """A segmentation from a file can be edited once it has a source volume."""
        volume = self.volume()
        isBare = self.editor.segmentationNode() and self.editor.sourceVolumeNode() is None
        if volume is not None and isBare:
            self.editor.setSourceVolumeNode(volume)

    def _rememberAsSeen(self) -> None:
        """What is painted from here on is the user's, also in a segment from a file."""
        volume = self.volume()
        segmentation, segmentId = self._chosen()
        if volume is None or segmentation is None or not segmentId:
            return
        with suppress(DiffusionSegError):  # said when Refine is pressed
            rememberAsSeen(self._known, segmentation, segmentId, volume)

    def _onSceneClosed(self, _caller: Any, _event: Any) -> None:
        if self._isEntered:
            self.enter()

    def _update(self) -> None:
        segmentation, segmentId = self._chosen()
        isChosen = segmentation is not None and bool(segmentId)
        self.ui.refineButton.setEnabled(isChosen)
        self.ui.refineHintLabel.text = (
            _("Paint what is missing, erase what is too much, then press Refine.")
            if isChosen
            else _("Accept an outline, or choose a segmentation and a segment.")
        )
        self._updateStructure(segmentation if isChosen else None, segmentId)

    def _updateStructure(self, segmentation: Any, segmentId: str) -> None:
        """Ask which structure a segment shows when nobody else can tell."""
        labels, combo = self.labels(), self.ui.structureCombo
        isAsked = segmentation is not None and len(labels) > 1
        isAsked = isAsked and not acceptedTogether(segmentation, segmentId, "")
        setRowVisible(isAsked, self.ui.structureRow)
        asked = (segmentation, segmentId, tuple(labels)) if isAsked else None
        if asked == self._asked:
            return  # the user may have chosen meanwhile
        self._asked = asked
        if isAsked:
            combo.clear()
            for label in labels:
                combo.addItem(label.name, label.value)
            found = labelOf(segmentOf(segmentation, segmentId), labels)
            combo.setCurrentIndex(max(0, combo.findData(found.value)) if found else 0)


def ownEditorNode() -> Any:
    """The editor node of this page, saved with the scene.

    Not the Segment Editor module's: its hidden editor would activate every effect a second time.
    """
    node = slicer.mrmlScene.GetSingletonNode(_SINGLETON, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(_SINGLETON)
        node = slicer.mrmlScene.AddNode(node)
    return node


def _modelId(setup: Any) -> str:
    """As a result's provenance names the model; "" for the method's default."""
    return f"{setup.method}/{setup.model}" if setup.model else ""


def _collapsibleAround(widget: Any) -> Any:
    """The ctkCollapsibleButton that holds a widget, or None."""
    parent = widget.parentWidget()
    while parent is not None and parent.className() != "ctkCollapsibleButton":
        parent = parent.parentWidget()
    return parent
