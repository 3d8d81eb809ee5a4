"""What the Segment Editor effect "Diffusion refine" does; loaded when it is first activated."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from DiffusionSegBridge.accept import Rules, Target, acceptResult
from DiffusionSegBridge.editor_widget import EffectEditor
from DiffusionSegBridge.segment_groups import acceptedTogether, labelOf
from DiffusionSegBridge.segments import presentSegment, readSegments, segmentOf
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegBridge.volumes import imageFromVolumes, imageKey, voxelsKey, worldGeometry
from DiffusionSegLib.errors import DiffusionSegError, InputError
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.worker.setup import Setup
from DiffusionSegPanel.appearance import mute, setRowVisible
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.outliner import Outliner
from DiffusionSegPanel.result_section import Refinement
from DiffusionSegPanel.shared import rememberAsSeen, shared
from DiffusionSegPanel.words import progressInWords, whenOutdated
from DiffusionSegPanel.worker_settings import WorkerSettings

__all__ = ["MODEL_PARAMETER", "EffectRefiner"]

MODEL_PARAMETER = "Model"
_THRESHOLD = 0.5
_POLL_MS = 30
_TICKS = 1000
_NOTHING: tuple[Any, Any, str] = (None, None, "")


class EffectRefiner(VTKObservationMixin):
    """Refines the segment that the Segment Editor has chosen, with the page's worker.

    effect: the qSlicerSegmentEditorScriptedEffect. ui: the widgets of DiffusionSegEffect.ui. The
    result goes into the segment at once, as one undo step, under the editor's masks; it obeys what
    the editor says of other segments.
    """

    def __init__(self, effect: Any, ui: Any) -> None:
        VTKObservationMixin.__init__(self)
        self._connections = Connections()
        self._effect, self._ui = effect, ui
        self._link: Any = None
        self._sent: Refinement | None = None
        self._edited = _NOTHING
        self._asked: Any = None  # what the choice of a structure was about
        self._waiting = ""  # what was said in place of the models
        self._isUpdating = False
        self.outliner = Outliner(None, imageFromVolumes, imageKey, slicer.mrmlScene.GetNodeByID)
        self.outliner.wantsPreviews, self.outliner.voxelsKey = False, voxelsKey
        mute(ui.statusLabel)
        self.timer = qt.QTimer()
        self.timer.setInterval(_POLL_MS)
        self._connect()

    def activate(self) -> None:
        """The user chose the effect: the worker starts warming up, the segment is looked at."""
        self._useLink()
        node = self._effect.parameterSetNode()
        self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onEditorNode)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onStartClose)
        self._edited = _NOTHING
        self.timer.start()
        self.refresh()

    def deactivate(self) -> None:
        """Another effect was chosen, or the editor is left: the job ends."""
        self.outliner.stop(_("Stopped, because the effect was left."))
        self.timer.stop()
        self.removeObservers()
        self._leaveLink()

    def cleanup(self) -> None:
        """The effect is deleted; may be called again."""
        self.deactivate()
        self._connections.drop()

    def refresh(self) -> None:
        """Show the models, and what can be done with the chosen segment."""
        self._fillModels()
        if self._models() and self._waiting and self._ui.statusLabel.text == self._waiting:
            self._edited = _NOTHING  # it is waited for no longer, so say what to do
            self._say("")
        self._lookAtSegment()
        self._updateStructure()
        self._updateButtons()

    def refine(self) -> None:
        """Send the segment; why not is said."""
        try:
            self._send()
        except DiffusionSegError as error:
            self._say(str(error))

    def stop(self) -> None:
        """The segment stays as it is."""
        self.outliner.stop(_("Stopped; the segment is as it was."))

    def poll(self) -> None:
        """Deliver what the worker sent."""
        self.outliner.poll()

    # What is asked for

    def _send(self) -> None:
        self._useLink()
        setup, model = self._setup()
        volume, segmentation, ids = self._chosen(setup, model)
        edited = readSegments(segmentation, ids, worldGeometry(volume))
        if edited.is_empty:
            raise InputError(_whyEmpty(segmentation, next(iter(ids.values()))))
        original = shared().knownMasks.original(segmentation, ids, edited)
        self._sent = Refinement(Target(segmentation, ids), edited, original)
        self.outliner.refine([volume], setup, edited, Prompt(), original)

    def _setup(self) -> tuple[Setup, Any]:
        model = self._model()
        if model is None:
            waiting = _("The worker has not said yet which models there are; wait for it.")
            self._waiting = self._failure() or waiting
            raise InputError(self._waiting)
        if len(model.inputs) > 1:
            names = ", ".join(part.name for part in model.inputs)
            raise InputError(
                _(
                    "{model} needs several volumes ({names}); refine with it in the DiffusionSeg "
                    "module."
                ).format(model=model.title, names=names)
            )
        return Setup(model.method, model.name, WorkerSettings().device), model

    def _chosen(self, setup: Setup, model: Any) -> tuple[Any, Any, dict[int, str]]:
        """The source volume, the segmentation, and label value to segment."""
        volume, segmentation, segmentId = self._editedNow()
        if volume is None or segmentation is None or not segmentId:
            raise InputError(_("Choose a source volume and a segment first."))
        together = acceptedTogether(segmentation, segmentId, f"{setup.method}/{setup.model}")
        if together:
            return volume, segmentation, together
        combo = self._ui.structureCombo
        value = combo.itemData(combo.currentIndex) if len(model.labels) > 1 else None
        return volume, segmentation, {int(value or model.labels[0].value): segmentId}

    def _model(self) -> Any:
        """The chosen ModelSummary, or None while the worker has not answered."""
        name = self._ui.modelCombo.itemData(self._ui.modelCombo.currentIndex)
        return next((model for model in self._models() if model.id == name), None)

    def _models(self) -> list[Any]:
        catalogue = self._link.catalogue if self._link is not None else None
        if catalogue is None:
            return []
        refining = {method.name for method in catalogue.methods if method.refines}
        return [model for model in catalogue.models if model.method in refining]

    # What comes back

    def _onFinished(self, answer: Any) -> None:
        sent, self._sent = self._sent, None
        if sent is None or answer.kind != "refine":
            return
        self._link.noteAnswer()
        try:
            words = self._write(answer, sent)
        except DiffusionSegError as error:
            words = str(error)
        self._end(words)

    def _write(self, answer: Any, sent: Refinement) -> str:
        volume = slicer.mrmlScene.GetNodeByID(answer.volumeNodeId)
        result = ShownResult(answer.proposal, volume)
        if sent.original is not None:
            result.keepPainted(sent.edited, sent.original)
        editor = EffectEditor(self._effect)
        rules = Rules("editor", before=sent.edited)
        accepted = acceptResult(result, _THRESHOLD, sent.target, editor, rules)
        if accepted.mask is not None:
            known, ids = shared().knownMasks, accepted.segmentIds
            known.remember(accepted.segmentationNode, ids, accepted.mask)
        return accepted.words + whenOutdated(answer)

    def _onStarted(self, _kind: str) -> None:
        self._ui.progressBar.setRange(0, 0)
        self._say(_("Handing the image over"))
        self._updateButtons()

    def _onProgress(self, progress: Any) -> None:
        self._ui.progressBar.setRange(0, _TICKS)
        self._ui.progressBar.setValue(round(_TICKS * progress.fraction))
        self._say(progressInWords(progress))

    def _onFailed(self, error: Any) -> None:
        self._end(str(error))

    def _end(self, sentence: str) -> None:
        self._sent = None
        self._updateButtons()
        self._say(sentence)
        if self._link is not None:
            self._link.rested.emit()

    def _onReplaced(self, client: Any) -> None:
        """The link has another worker, or none."""
        self.outliner.setClient(client)
        self.refresh()

    def _onStartClose(self, _caller: Any, _event: Any) -> None:
        self.outliner.stop(_("The scene was closed, so the outline was stopped."))

    # What is seen

    def _connect(self) -> None:
        ui, outliner = self._ui, self.outliner
        self._connections.add(ui.refineButton, "clicked()", self.refine)
        self._connections.add(ui.stopButton, "clicked()", self.stop)
        self._connections.add(ui.modelCombo, "currentIndexChanged(int)", self._onModel)
        self._connections.add(self.timer, "timeout()", self.poll)
        outliner.started.connect(self._onStarted)
        outliner.progressed.connect(self._onProgress)
        outliner.finished.connect(self._onFinished)
        outliner.failed.connect(self._onFailed)
        outliner.stopped.connect(self._end)

    def _useLink(self) -> None:
        """The worker's link may have become another one since."""
        link = shared().link()
        if link is not self._link:
            self._leaveLink()
            self._link = link
            link.changed.connect(self.refresh)
            link.replaced.connect(self._onReplaced)
            link.failed.connect(self._onLinkFailed)
        if self.outliner.client is not link.client:
            self.outliner.setClient(link.client)

    def _leaveLink(self) -> None:
        if self._link is not None:
            self._link.changed.disconnect(self.refresh)
            self._link.replaced.disconnect(self._onReplaced)
            self._link.failed.disconnect(self._onLinkFailed)
        self._link = None

    def _fillModels(self) -> None:
        combo, models = self._ui.modelCombo, self._models()
        shown = [combo.itemData(index) for index in range(combo.count)]
        if shown == [model.id for model in models]:
            return
        self._isUpdating = True
        try:
            combo.clear()
            for model in models:
                combo.addItem(model.title, model.id)
            saved = self._effect.parameter(MODEL_PARAMETER)
            combo.setCurrentIndex(max(0, combo.findData(saved)))
        finally:
            self._isUpdating = False

    def _onModel(self, _index: int) -> None:
        model = self._model()
        if model is not None and not self._isUpdating:
            self._effect.setParameter(MODEL_PARAMETER, model.id)
            self._updateStructure()

    def _onEditorNode(self, _caller: Any, _event: Any) -> None:
        sent = self._sent.target.segmentationNode if self._sent is not None else None
        if sent is not None and self._editedNow()[1] is not sent:  # undo is of the one chosen
            self.outliner.stop(_("Stopped, because another segmentation was chosen."))
        if self._editedNow() != self._edited:
            self.refresh()

    def _editedNow(self) -> tuple[Any, Any, str]:
        """The source volume, the segmentation and the segment."""
        node = self._effect.parameterSetNode()
        if node is None:
            return _NOTHING
        segmentation, segmentId = node.GetSegmentationNode(), node.GetSelectedSegmentID()
        return node.GetSourceVolumeNode(), segmentation, presentSegment(segmentation, segmentId)

    def _lookAtSegment(self) -> None:
        """Remember the segment as it is now: what is painted from here on is the user's."""
        edited = volume, segmentation, segmentId = self._editedNow()
        if edited == self._edited:
            return
        self._edited = edited
        if volume is None or segmentation is None or not segmentId:
            return
        try:
            rememberAsSeen(shared().knownMasks, segmentation, segmentId, volume)
            found = readSegments(segmentation, {1: segmentId}, worldGeometry(volume))
            hint = _("Paint what is missing, erase what is too much, then press Refine.")
            words = _whyEmpty(segmentation, segmentId) if found.is_empty else hint
        except DiffusionSegError as error:
            words = str(error)
        if not self.outliner.isBusy:
            self._say(words)

    def _updateStructure(self) -> None:
        """Ask which structure a segment shows when nobody else can tell."""
        model, (_volume, segmentation, segmentId) = self._model(), self._edited
        labels = model.labels if model is not None else ()
        isAsked = len(labels) > 1 and segmentation is not None and bool(segmentId)
        isAsked = isAsked and not acceptedTogether(segmentation, segmentId, model.id)
        combo = self._ui.structureCombo
        setRowVisible(isAsked, self._ui.structureLabel, combo)
        asked = (segmentation, segmentId, labels) if isAsked else None
        if asked == self._asked:
            return  # the user may have chosen meanwhile
        self._asked = asked
        if isAsked:
            combo.clear()
            for label in labels:
                combo.addItem(label.name, label.value)
            found = labelOf(segmentOf(segmentation, segmentId), labels)
            combo.setCurrentIndex(max(0, combo.findData(found.value)) if found else 0)

    def _updateButtons(self) -> None:
        isBusy = self.outliner.isBusy
        isDown = self._link is None or self._link.isDown  # pressed, it is tried again
        self._ui.refineButton.setEnabled(not isBusy and (self._model() is not None or isDown))
        self._ui.stopButton.setVisible(isBusy)
        self._ui.progressBar.setVisible(isBusy)
        if not self._models() and not isBusy:
            isFree = self._ui.statusLabel.text in ("", self._waiting)
            if isFree or self._failure():
                self._waiting = self._failure() or _("Waiting for the worker.")
                self._say(self._waiting)

    def _failure(self) -> str:
        """Why the worker does not answer; "" while it may."""
        return str((self._link.error if self._link is not None else "") or "")

    def _onLinkFailed(self, error: Any) -> None:
        """A run under way says itself how it ends."""
        if not self.outliner.isBusy:
            self._end(str(error))

    def _say(self, sentence: str) -> None:
        self._ui.statusLabel.text = sentence


def _whyEmpty(segmentation: Any, segmentId: str) -> str:
    return _(
        "The segment {name} is empty: paint a first guess of it, or outline it with the "
        "DiffusionSeg module."
    ).format(name=segmentOf(segmentation, segmentId).GetName())
