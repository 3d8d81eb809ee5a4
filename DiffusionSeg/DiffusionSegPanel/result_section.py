"""The result on the page: threshold, candidates, doubt, verdict, accept or discard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from DiffusionSegBridge.accept import Accepted, Rules, Target, acceptResult
from DiffusionSegBridge.editor_port import LogicEditor
from DiffusionSegBridge.preview import PreviewSegmentation
from DiffusionSegBridge.segments import readSegments
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegPanel.appearance import setRowVisible
from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.page_part import loadInto
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.result_estimate import ResultEstimate
from DiffusionSegPanel.result_overlays import OverlayChooser
from DiffusionSegPanel.result_preparation import ResultPreparation
from DiffusionSegPanel.result_target import Earlier, TargetChooser
from DiffusionSegPanel.result_threshold import ResultThreshold
from DiffusionSegPanel.result_words import candidateInWords, verdictInWords, volumeInWords

__all__ = ["Refinement", "ResultSection"]


@dataclass(frozen=True)
class Refinement:
    """What was sent to be refined: its segments, the mask, and the mask before it was edited."""

    target: Target
    edited: Mask
    original: Mask | None


class ResultSection(VTKObservationMixin):
    """Shows what the outliner found in ``placeholder`` and in the slice views.

    outliner: its `finished`, `previewed`, `started`, `failed` and `stopped` are listened to.
    parameterNode: returns the parameter node (or None while the scene is closed).
    resourcePath: as ScriptedLoadableModuleWidget.resourcePath. Emits `offered` () when a result can
    be accepted, `accepted` (Accepted, OutlineResult), `discarded` () and `said` (sentence).
    """

    def __init__(
        self,
        placeholder: Any,
        outliner: Any,
        parameterNode: Callable[[], Any],
        resourcePath: Callable[[str], str],
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._connections = Connections()
        self.accepted, self.discarded, self.said = Signal(), Signal(), Signal()
        self.offered = Signal()
        self._outliner, self._parameterNode = outliner, parameterNode
        self._editor: Any = None
        self._shown: ShownResult | None = None
        self._answer: Any = None
        self._refinement: Refinement | None = None
        self._expected: Refinement | None = None
        self._earlier: Earlier | None = None
        self._preview: PreviewSegmentation | None = None
        self._estimate = ResultEstimate()
        self._before: Mask | None = None
        self._comingKind = ""  # of the answer that is made ready
        self.preparation = ResultPreparation()
        self._isEntered = self._isUpdating = False
        self._load(placeholder, resourcePath)
        self._connect()
        self._update()

    @property
    def shown(self) -> ShownResult | None:
        """The result that waits to be accepted."""
        return self._shown

    @property
    def answer(self) -> Any:
        """The OutlineResult that it is; None without one."""
        return self._answer

    @property
    def threshold(self) -> float:
        """Where the slider is."""
        return self._threshold.value

    def setEditor(self, editor: Any) -> None:
        """The EditorPort whose undo steps an accepted result becomes one of."""
        self._editor = editor

    def expectRefinement(self, refinement: Refinement) -> None:
        """The next answer of kind "refine" belongs to this."""
        self._expected = refinement

    def enter(self) -> None:
        """The module is shown."""
        self._isEntered = True
        self._updateVisible()
        self._readParameters()

    def exit(self) -> None:
        """The module is left: previews and overlays go from the slice views."""
        self._isEntered = False
        self._threshold.store()
        self._overlays.hide()
        self._updateVisible()

    def cleanup(self) -> None:
        """The page is closed for good; may be called again."""
        self._threshold.cleanup()
        self.removeObservers()
        self._connections.drop()
        self._targets.cleanup()
        self.preparation.cleanup()
        self._drop()
        self._overlays.cleanup()

    def onSceneClose(self) -> None:
        """Everything shown is gone with the scene."""
        self._threshold.forget()
        self._earlier = self._expected = None
        self.preparation.cancel()
        self._estimate.remove()
        self._drop()

    def accept(self) -> None:
        """Make the outline segments; the words of it are said."""
        if self._shown is None:
            return
        before = self._refinement.edited if self._refinement is not None else None
        rules = Rules(self._targets.overwrite, before)
        editor = self._editor or LogicEditor()
        target = self._targets.target
        try:
            with slicer.util.RenderBlocker():  # no half-written segments in the views
                accepted = acceptResult(self._shown, self.threshold, target, editor, rules)
        except DiffusionSegError as error:
            self.said.emit(str(error))
            return
        if accepted.mask is not None:
            self._leaveAgain()
        self.said.emit(accepted.words)
        if accepted.mask is not None:
            self._onAccepted(accepted)

    def discard(self) -> None:
        """Forget the outline; no segment is changed."""
        self._leaveAgain()
        self._drop()
        self.discarded.emit()

    def goToMostUncertain(self) -> None:
        """Center the slice views where the result is least sure; again: the next such place."""
        place = self._shown.nextUncertainRas() if self._shown is not None else None
        if place is None:
            self.said.emit(_("The result is equally sure everywhere."))
            return
        sliceNode = slicer.vtkMRMLSliceNode
        sliceNode.JumpAllSlices(slicer.mrmlScene, *place, sliceNode.CenteredJumpSlice)

    def showCandidate(self, index: int) -> None:
        """Show another of the outlines; past the last comes the first."""
        if self._shown is not None:
            self._shown.candidate = index % self._shown.candidateCount
            self._update()
            self._show()

    def _load(self, placeholder: Any, resourcePath: Callable[[str], str]) -> None:
        self.ui = loadInto(placeholder, resourcePath("UI/DiffusionSegResult.ui"))
        self._targets = TargetChooser(self.ui, self._parameterNode)
        self._overlays = OverlayChooser(self.ui)
        self._threshold = ResultThreshold(self.ui.thresholdSlider, self._parameterNode)

    def _connect(self) -> None:
        ui, outliner = self.ui, self._outliner
        self._connections.add(ui.previousCandidateButton, "clicked()", self._onPrevious)
        self._connections.add(ui.nextCandidateButton, "clicked()", self._onNext)
        self._connections.add(ui.nearBox, "toggled(bool)", self._onNear)
        self._connections.add(ui.radiusSpinBox, "valueChanged(double)", self._onRadius)
        self._connections.add(ui.uncertainButton, "clicked()", self.goToMostUncertain)
        self._connections.add(ui.acceptButton, "clicked()", self.accept)
        self._connections.add(ui.discardButton, "clicked()", self.discard)
        self._connections.listen(self._threshold.changed, self._show)
        self._connections.listen(outliner.started, self._onStarted)
        self._connections.listen(outliner.previewed, self._onPreviewed)
        self._connections.listen(outliner.finished, self._onFinished)
        self._connections.listen(outliner.failed, self._onEnded)
        self._connections.listen(outliner.stopped, self._onEnded)
        self._connections.listen(self._targets.changed, self._onTarget)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.NodeRemovedEvent, self._onNodeRemoved)

    # What the outliner says

    def _onStarted(self, kind: str) -> None:
        self._estimate.remove()
        self._updateVisible()
        if kind != "refine":
            self._expected = None

    def _onPreviewed(self, preview: Any) -> None:
        volume = slicer.mrmlScene.GetNodeByID(self._outliner.volumeNodeId)
        if volume is None or not self._isEntered:
            return
        self._estimate.show(preview.probability, volume, self.threshold)
        self._updateVisible()

    def _onEnded(self, _reason: Any) -> None:
        """A run that failed or was stopped leaves the earlier result as it was."""
        self._estimate.remove()
        self._expected = None
        self._updateVisible()

    def _onFinished(self, answer: Any) -> None:
        refinement = self._expected if answer.kind == "refine" else None
        self._expected = None
        self._comingKind = answer.kind
        self.preparation.start(
            answer.proposal, lambda outline: self._onReady(answer, refinement, outline)
        )

    def _onReady(self, answer: Any, refinement: Refinement | None, outline: Any) -> None:
        """The result can be shown; the volume may have gone while it was made ready. For the same
        marks with another live parameter the target and the preview stay."""
        if not self._outliner.isBusy:  # else it is of the next run
            self._estimate.remove()
        volume = slicer.mrmlScene.GetNodeByID(answer.volumeNodeId)
        isExchanged = answer.kind == "again" and self._preview is not None and volume is not None
        if not isExchanged:
            self._drop()
        if volume is None:
            self.said.emit(_("The volume is gone, so its outline was dropped."))
            return
        try:
            self._shown = ShownResult(answer.proposal, volume, outline)
            self._answer, self._refinement = answer, refinement
            if refinement is not None and refinement.original is not None:
                self._shown.keepPainted(refinement.edited, refinement.original)
        except DiffusionSegError as error:
            self._drop()
            self.said.emit(str(error))
            return
        if isExchanged:
            self._overlays.exchange(answer.proposal)
            self._limit()
        else:
            self._offer(volume)
        self.offered.emit()

    def _offer(self, volume: Any) -> None:
        assert self._shown is not None
        self._preview = PreviewSegmentation(volume)
        self._overlays.offer(self._shown.proposal, volume)
        if self._refinement is not None:
            self._targets.fix(self._refinement.target)
        else:
            labels, prompt = self._shown.labels, self._answer.prompt
            self._targets.offer(volume, labels, prompt, self._earlier)
        self._readParameters()
        self._onTarget()

    def _onAccepted(self, accepted: Accepted) -> None:
        answer = self._answer
        segmentation = accepted.segmentationNode
        self._targets.remember(segmentation)
        self._earlier = Earlier(
            answer.volumeNodeId, segmentation, accepted.segmentIds, answer.prompt
        )
        self._drop()
        self.accepted.emit(accepted, answer)

    def _onNodeRemoved(self, _caller: Any, _event: Any) -> None:
        shown = self._shown
        if shown is not None and slicer.mrmlScene.GetNodeByID(shown.volumeNodeId) is None:
            self._drop()
            self.said.emit(_("The volume is gone, so its outline was dropped."))

    # What the user does

    def _leaveAgain(self) -> None:
        """The outline shown is decided on: what was to take its place comes too late."""
        if self._outliner.kind == "again":
            self._outliner.stop()
        if self.preparation.isUnderWay and self._comingKind == "again":
            self.preparation.cancel()
            self._estimate.remove()

    def _onPrevious(self) -> None:
        if self._shown is not None:
            self.showCandidate(self._shown.candidate - 1)

    def _onNext(self) -> None:
        if self._shown is not None:
            self.showCandidate(self._shown.candidate + 1)

    def _onNear(self, isOn: bool) -> None:
        parameters = self._parameterNode()
        if parameters is not None and not self._isUpdating:
            parameters.keepNearClicks = isOn
            self._limit()

    def _onRadius(self, radius: float) -> None:
        parameters = self._parameterNode()
        if parameters is not None and not self._isUpdating:
            parameters.radiusMm = radius
            self._limit()

    def _onTarget(self) -> None:
        """Compare with what the target holds now."""
        self._before = None
        try:
            self._before = self._maskBefore()
        except DiffusionSegError as error:
            self.said.emit(str(error))
        self._limit()

    def _maskBefore(self) -> Mask | None:
        if self._refinement is not None:
            return self._refinement.edited
        target = self._targets.target
        if self._shown is None or not target.segmentIds:
            return None
        volume = slicer.mrmlScene.GetNodeByID(self._shown.volumeNodeId)
        return readSegments(target.segmentationNode, target.segmentIds, worldGeometry(volume))

    def _limit(self) -> None:
        if self._shown is None:
            return
        points = [point.position_ras for point in self._answer.prompt.points]
        isOn = self.ui.nearBox.checked
        radius = float(self.ui.radiusSpinBox.value)
        self._shown.limitTo(points if isOn else (), radius, self._before)
        self._update()
        self._show()

    # What is seen

    def _show(self) -> None:
        """The outline at the slider's threshold, in the slice views and in millilitres."""
        if self._shown is None or self._preview is None:
            return
        self._preview.show(self._shown, self.threshold, self._before)
        self._updateVisible()
        self.ui.volumeLabel.text = volumeInWords(self._shown, self.threshold)

    def _update(self) -> None:
        """Everything on the page but the volume."""
        ui, shown = self.ui, self._shown
        ui.resultPart.setVisible(shown is not None)
        if shown is None:
            ui.verdictLabel.text = _("No outline yet.")
            return
        verdict = shown.proposal.verdict
        ui.verdictLabel.text = verdictInWords(verdict)
        several = shown.candidateCount > 1
        setRowVisible(several, ui.candidateTitle, ui.candidateRow)
        ui.candidateLabel.text = candidateInWords(shown)
        ui.thresholdSlider.setEnabled(shown.candidate == 0)
        setRowVisible(bool(self._answer.prompt.points), ui.nearLabel, ui.nearRow)
        ui.radiusSpinBox.setEnabled(ui.nearBox.checked)
        ui.acceptButton.text = self._targets.acceptText
        ui.acceptButton.setEnabled(verdict.state is not Verdict.NOT_FOUND)

    def _readParameters(self) -> None:
        self._threshold.read()
        parameters = self._parameterNode()
        if parameters is None:
            return
        self._isUpdating = True
        try:
            self.ui.nearBox.checked = parameters.keepNearClicks
            self.ui.radiusSpinBox.value = parameters.radiusMm
        finally:
            self._isUpdating = False

    def _updateVisible(self) -> None:
        """The estimate of a run under way hides the earlier result."""
        self._estimate.setVisible(self._isEntered)
        if self._preview is not None:
            self._preview.setVisible(self._isEntered and not self._estimate.isShown)

    def _drop(self) -> None:
        """No result, no preview, no overlay."""
        if self._preview is not None:
            self._preview.remove()
        self._preview = self._shown = self._answer = None
        self._refinement = self._before = None
        self._overlays.forget()
        self._update()
