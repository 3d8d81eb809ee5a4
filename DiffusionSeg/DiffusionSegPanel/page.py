"""The page as a whole: joins the sections, the parameter node, the worker and the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from DiffusionSegBridge.volumes import imageFromVolumes, imageKey, voxelsKey
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegPanel.choice import Choice, chosen
from DiffusionSegPanel.estimator import Estimator
from DiffusionSegPanel.first_volume import chooseFirstVolume
from DiffusionSegPanel.full_check import FullCheck
from DiffusionSegPanel.input_section import InputSection
from DiffusionSegPanel.live_parameters import LiveParameters
from DiffusionSegPanel.notice import Notice
from DiffusionSegPanel.outliner import Outliner, OutlineResult
from DiffusionSegPanel.prompt_section import PromptSection
from DiffusionSegPanel.readiness import whyNotReady
from DiffusionSegPanel.refine_section import RefineSection
from DiffusionSegPanel.result_section import ResultSection
from DiffusionSegPanel.run_section import RunSection
from DiffusionSegPanel.settings_section import SettingsSection
from DiffusionSegPanel.setup_controller import SetupController
from DiffusionSegPanel.shortcuts import Shortcuts
from DiffusionSegPanel.slicer_version import whatIsMissing
from DiffusionSegPanel.system_report import systemReport
from DiffusionSegPanel.words import doneInWords
from DiffusionSegPanel.worker_keeper import WorkerKeeper
from DiffusionSegPanel.worker_link import WorkerLink
from DiffusionSegPanel.worker_settings import WorkerSettings, createClient
from DiffusionSegPanel.worker_test import WorkerTest

__all__ = ["Page"]

_POLL_MS = 30


class Page(VTKObservationMixin):
    """Lives from setup() to cleanup() of the module's widget; shown between enter() and exit().

    ui: the child widgets of DiffusionSeg.ui by name. getParameterNode: the module logic's.
    makeClient: makes a worker's client from a command line; None for a process of its own.
    """

    def __init__(
        self,
        ui: Any,
        resourcePath: Callable[[str], str],
        getParameterNode: Callable[[], Any],
        makeClient: Callable[[str], Any] | None = None,
    ) -> None:
        VTKObservationMixin.__init__(self)
        self.ui, self._getParameterNode = ui, getParameterNode
        self.parameters: Any = None
        self._observedVolume: Any = None
        self._lastKey = ""
        self._nodeAdded = False
        self._isEntered = self._isClosed = False
        self.settings = WorkerSettings()
        self.outliner = Outliner(None, imageFromVolumes, imageKey, slicer.mrmlScene.GetNodeByID)
        make = makeClient or createClient
        self.link, self.test = WorkerLink(make), WorkerTest(make)
        self.outliner.channelNames, self.outliner.voxelsKey = self._channelNames, voxelsKey
        self.estimator = Estimator(self.outliner)
        self._makeSections(resourcePath)
        self._join()
        self._observeScene()
        self.timer = _timer(_POLL_MS, self.poll)
        self._refreshTimer = _timer(0, self._refreshLater, isSingleShot=True)
        self.notice.stand(whatIsMissing())

    def enter(self) -> None:
        """The module is shown: start the worker, show the marks, install the keys."""
        if self._isClosed:
            return
        self._isEntered = True
        if self.parameters is None:
            self.setParameterNode(self._getParameterNode())
        chooseFirstVolume(self.parameters)
        self.setup.enter()
        self.keeper.start()
        for part in (self.shortcuts, self.prompt, self.result, self.refine):
            part.enter()
        self.timer.start()
        self.refresh()

    def exit(self) -> None:
        """The module is left; a job under way goes on."""
        self._isEntered = False
        self.check.leave()
        for part in (self.shortcuts, self.prompt, self.result, self.refine):
            part.exit()

    def cleanup(self) -> None:
        """The end: the job is cancelled, the worker closed, nothing calls back. Repeatable."""
        if self._isClosed:
            return
        self.exit()
        self._isClosed = True
        self.timer.stop()
        self._refreshTimer.stop()
        self.keeper.cleanup()
        self.outliner.stop()
        self.removeObservers()
        parts: tuple[Any, ...] = (self.estimator, self.live, self.result, self.refine, self.prompt)
        parts = (*parts, self.input, self.settingsSection, self.run, self.notice, self.setup)
        for part in (*parts, self.check):
            part.cleanup()
        self.test.close()
        self.link.close()
        self.parameters = None

    def setParameterNode(self, parameters: Any) -> None:
        """Work with another parameter node; None while the scene is closed."""
        if self.parameters is not None:
            node = self.parameters.parameterNode
            self.removeObserver(node, vtk.vtkCommand.ModifiedEvent, self._onModified)
        self.parameters = parameters
        if parameters is not None:
            node = parameters.parameterNode
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onModified)
        self.refresh()

    def choice(self) -> Choice:
        """The method and the model that are chosen."""
        names = (self.parameters.method, self.parameters.model) if self.parameters else ("", "")
        return chosen(self.link.catalogue, *names)

    def request(self) -> tuple[list[Any], Any, Any] | None:
        """(volume nodes, Setup, Prompt) as they stand; None when something is missing.

        Raises PromptError for a mark outside the volume.
        """
        choice = self.choice()
        if self.parameters is None or self._whyNot(choice):
            return None
        volumes = self.input.usedVolumes(choice)
        setup = choice.setup(self.parameters, self.settingsSection.deviceName)
        return volumes, setup, self.prompt.prompt(choice, volumes[0])

    def segment(self) -> None:
        """Start an outline from what is chosen."""
        try:
            request = self.request()
        except DiffusionSegError as error:
            self.run.say(str(error))
            return
        if request is None:
            return
        self.prompt.points.stopPlacing()
        self.settings.remember(request[2].text)
        self.estimator.forget()
        self.outliner.propose(*request)

    def poll(self) -> None:
        """Deliver what the workers sent. Stops by itself when nobody looks and nothing runs."""
        self.outliner.poll()
        self.test.poll()
        self.setup.poll()
        self.check.poll()
        isAwaited = self.outliner.isBusy or self.setup.wantsPoll or self.test.isRunning
        if not (self._isEntered or isAwaited):
            self.timer.stop()

    def refresh(self) -> None:
        """Show what the parameter node, the scene and the worker say."""
        if self._isClosed:
            return
        choice = self.choice()
        self.input.update(self.link.catalogue, choice)
        self.prompt.update(choice)
        self.refine.update()
        self.settingsSection.update(self.link.hello, choice)
        self.setup.update(choice)
        self.run.setReady(self._whyNot(choice))
        self.live.update(choice, self.parameters)
        self._observeVolume()
        if self._volume() is not None or self.settingsSection.isOpen:
            self.link.needHello()
        self._wantEstimate()

    def _makeSections(self, resourcePath: Callable[[str], str]) -> None:
        ui = self.ui
        self.setup = SetupController(ui.setupPlaceholder, self.settings, resourcePath)
        self.notice = Notice(
            ui, lambda: self.keeper.restart(), lambda extra: self.keeper.setUp(extra)
        )
        self.input = InputSection(ui, self._parameters)
        self.prompt = PromptSection(
            ui, self._parameters, self._volume, self.settings.history, resourcePath
        )
        self.run = RunSection(ui)
        self._joinRun()
        self.result = ResultSection(
            ui.resultPlaceholder, self.outliner, self._parameters, resourcePath
        )
        self.live = LiveParameters(
            self.result.ui.liveParametersWidget, self.outliner, self.result, self._usedVolumes
        )
        self.refine = RefineSection(ui.refinePlaceholder, self.outliner, self.result, resourcePath)
        self.refine.request = self.request
        self.refine.labels = self._labels
        self.refine.volume = lambda: self.input.volumes()[0]
        self.settingsSection = SettingsSection(ui, self._parameters, self.settings)
        self.check = FullCheck(ui, self._known, self.outliner, self.setup)
        link, setup = self.link, self.setup
        self.keeper = WorkerKeeper(link, setup, self.notice, self.settings, self.outliner)
        keys = {
            "P": self.prompt.points.toggleInclude,
            "Shift+P": self.prompt.points.toggleExclude,
            "B": self.prompt.box.toggle,
            "Ctrl+Return": self.run.click,
        }
        self.shortcuts = Shortcuts(keys, ui.segmentButton)

    def _joinRun(self) -> None:
        """Before all others listen: who hears of an end may start the next run at once."""
        self.outliner.started.connect(self.run.start)
        self.outliner.progressed.connect(self.run.progress)
        self.outliner.finished.connect(self._onFinished)
        self.outliner.failed.connect(lambda error: self.run.stop(str(error)))
        self.outliner.stopped.connect(self.run.stop)

    def _join(self) -> None:
        """Who listens to whom."""
        self.run.segmentRequested.connect(self.segment)
        self.run.stopRequested.connect(lambda: self.outliner.stop(_("Stopped.")))
        self.run.stopHereRequested.connect(self.outliner.stopHere)
        self.result.said.connect(self.run.say)
        self.live.changed.connect(self.settingsSection.storeParameter)
        self.estimator.estimated.connect(self.run.setEstimate)
        self.prompt.changed.connect(self._onMarked)
        self.link.replaced.connect(self.outliner.setClient)
        self.keeper.stopping.connect(self._onWorkerStopping)
        self.keeper.restarting.connect(self._onWorkerRestarting)
        self.keeper.changed.connect(self.refresh)
        self.test.done.connect(self.settingsSection.sayOfTest)
        self.test.whyNot = lambda: self.setup.whyNotReady if self.setup.holdsWorker else ""
        section = self.settingsSection
        section.commandChanged.connect(self.test.close)
        section.commandChanged.connect(self.check.forget)
        section.commandChanged.connect(self.keeper.restart)
        self.setup.workerChanged.connect(section.showCommand)
        section.deviceChanged.connect(self.refresh)
        section.opened.connect(self.refresh)
        section.setupRequested.connect(self.setup.open)
        section.testRequested.connect(self._onTestRequested)
        section.reportRequested.connect(self._onReportRequested)

    def _observeScene(self) -> None:
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneChanged)
        self.addObserver(scene, scene.EndImportEvent, self._onSceneChanged)
        self.addObserver(scene, scene.NodeAddedEvent, self._onNodeAdded)
        self.addObserver(scene, scene.NodeRemovedEvent, self._onNodeRemoved)

    def _parameters(self) -> Any:
        return self.parameters

    def _labels(self) -> tuple[Any, ...]:
        """What the chosen model outlines."""
        model = self.choice().model
        return tuple(model.labels) if model is not None else ()

    def _volume(self) -> Any:
        """The volume whose grid is outlined, or None."""
        return next(iter(self._usedVolumes()), None)

    def _usedVolumes(self) -> list[Any]:
        return list(self.input.usedVolumes(self.choice()))

    def _channelNames(self, volumeNodes: Any) -> tuple[str, ...]:
        choice = self.choice()
        isChosen = list(volumeNodes) == self.input.usedVolumes(choice)
        return self.input.channelNames(choice) if isChosen else ()

    def _whyNot(self, choice: Choice) -> str:
        if self.link.catalogue is None and (self.setup.whyNotReady or self.keeper.failure):
            return self.setup.whyNotReady or self.keeper.failure
        return whyNotReady(
            self.link.catalogue,
            choice,
            self.input.volumes(),
            self.link.hello,
            self.settingsSection.device,
        )

    def _wantEstimate(self) -> None:
        if not self._isEntered or self.outliner.isBusy:
            return
        choice = self.choice()
        if self.parameters is None or self._whyNot(choice):
            self.estimator.forget()
            return
        try:
            volumes = imageKey(self.input.usedVolumes(choice))
        except DiffusionSegError:  # Segment will say it
            self.estimator.forget()
            return
        setup = choice.setup(self.parameters, self.settingsSection.deviceName)
        key = f"{volumes}|{choice.cost(setup)}|{self.prompt.where.changeTime()}"
        if key != self._lastKey:
            self._lastKey = key
            self.run.say("")
        self.estimator.want(key, self.request)

    def _observeVolume(self) -> None:
        """Voxels may arrive after the node."""
        volume = self._volume()
        if volume is self._observedVolume:
            return
        event = slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent
        if self._observedVolume is not None:
            self.removeObserver(self._observedVolume, event, self._scheduleRefresh)
        if volume is not None:
            self.addObserver(volume, event, self._scheduleRefresh)
        self._observedVolume = volume

    def _onMarked(self) -> None:
        if not self.outliner.isBusy:
            self.run.say("")
        self._scheduleRefresh()

    def _scheduleRefresh(self, _caller: Any = None, _event: Any = None) -> None:
        if not self._isClosed:
            self._refreshTimer.start()

    def _refreshLater(self) -> None:
        if self._nodeAdded:
            self._nodeAdded = False
            chooseFirstVolume(self.parameters)
        self.refresh()

    def _onModified(self, _caller: Any, _event: Any) -> None:
        self.refresh()

    def _onStartClose(self, _caller: Any, _event: Any) -> None:
        self.outliner.stop(_("The scene was closed, so the outline was stopped."))
        self.estimator.forget()
        self.result.onSceneClose()
        self.refine.onSceneClose()
        self.prompt.points.stopPlacing()
        self.setParameterNode(None)

    def _onSceneChanged(self, _caller: Any, _event: Any) -> None:
        if self._isEntered:
            self.setParameterNode(self._getParameterNode())
            chooseFirstVolume(self.parameters)
            self.prompt.enter()

    def _onNodeAdded(self, _caller: Any, _event: Any) -> None:
        if self._isEntered and self.parameters is not None:
            self._nodeAdded = True
            self._scheduleRefresh()

    def _onNodeRemoved(self, _caller: Any, _event: Any) -> None:
        self._scheduleRefresh()

    def _onFinished(self, result: OutlineResult) -> None:
        self.run.stop(doneInWords(result))

    def _onWorkerStopping(self) -> None:
        self.outliner.stop(_("The outline was stopped: DiffusionSeg is being set up."))
        self.check.poll()  # it gives way
        self.test.stop(self.setup.whyNotReady)
        self.estimator.forget()

    def _onWorkerRestarting(self) -> None:
        self.estimator.forget()
        self.settingsSection.showCommand()

    def _onTestRequested(self, commandText: str) -> None:
        self.settingsSection.sayOfTest(_("Starting the worker"), isRunning=True)
        self.test.start(commandText)

    def _onReportRequested(self) -> None:
        self.settingsSection.copy(systemReport(*self._known()))

    def _known(self) -> tuple[Any, ...]:
        """What the reports tell of."""
        link = self.link
        return self.settings.command, link.hello, link.client, link.catalogue, self.setup.report()


def _timer(intervalMs: int, slot: Callable[[], None], isSingleShot: bool = False) -> Any:
    timer = qt.QTimer()
    timer.setInterval(intervalMs)
    timer.setSingleShot(isSingleShot)
    timer.connect("timeout()", slot)
    return timer
