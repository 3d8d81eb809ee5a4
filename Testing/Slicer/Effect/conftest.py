"""A Segment Editor with the effect, over a fresh scene, and one worker for all tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from Testing.Library.worker.scripted import ScriptedClient
from Testing.Slicer.Panel.conftest import HIPPOCAMPUS, ROOT, Lasting
from Testing.Slicer.waiting import Waiting

EFFECT = ROOT / "DiffusionSeg" / "DiffusionSegEffect" / "SegmentEditorDiffusionRefineEffect.py"


class OpenedEditor(Waiting):
    """The Segment Editor, and what a user does in it."""

    def __init__(self, widget: Any) -> None:
        self.widget = widget

    @property
    def effect(self) -> Any:
        return self.widget.effectByName("Diffusion refine").self()

    @property
    def ui(self) -> Any:
        return self.effect.ui

    @property
    def status(self) -> str:
        return str(self.ui.statusLabel.text)

    def choose(self, volume: Any, segmentation: Any, segmentId: str) -> None:
        """What is edited."""
        self.widget.setSegmentationNode(segmentation)
        self.widget.setSourceVolumeNode(volume)
        self.widget.setCurrentSegmentID(segmentId)

    def activate(self) -> None:
        """Choose the effect and wait for the worker."""
        self.widget.setActiveEffectByName("Diffusion refine")
        self.until(lambda: self.ui.modelCombo.count)

    def chooseModel(self, name: str) -> None:
        index = self.ui.modelCombo.findData(name)
        assert index >= 0
        self.ui.modelCombo.setCurrentIndex(index)


def hippocampus() -> Any:
    import slicer

    return slicer.util.loadVolume(str(HIPPOCAMPUS / "images" / "hippocampus_033.nii.gz"))


@pytest.fixture(scope="session")
def workers() -> Iterator[dict[str, Any]]:
    """The one worker, made when first needed."""
    made: dict[str, Any] = {}
    yield made
    for client in made.values():
        client.close()


@pytest.fixture
def editor(
    scene: Any,
    workers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[OpenedEditor]:
    """The editor with the effect, registered as the module does it; a logged error fails."""
    from DiffusionSegPanel import shared, worker_settings

    def lasting(command: str) -> Lasting:
        if command not in workers:
            workers[command] = worker_settings.createClient(command)
        return Lasting(workers[command])

    monkeypatch.setattr(shared, "createClient", lasting)
    yield from openedEditor(scene, caplog)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[ScriptedClient]:
    """The clients that are made, for the effect and for a page, in their order."""
    from DiffusionSegPanel import page, shared

    made: list[ScriptedClient] = []

    def make(_command: str) -> ScriptedClient:
        made.append(ScriptedClient())
        return made[-1]

    monkeypatch.setattr(page, "createClient", make)
    monkeypatch.setattr(shared, "createClient", make)
    return made


@pytest.fixture
def scripted(
    scene: Any, clients: list[ScriptedClient], caplog: pytest.LogCaptureFixture
) -> Iterator[OpenedEditor]:
    """The editor with workers that answer when the test says so."""
    yield from openedEditor(scene, caplog)


def openedEditor(scene: Any, caplog: pytest.LogCaptureFixture) -> Iterator[OpenedEditor]:
    """With an editor node of its own."""
    import qSlicerSegmentationsEditorEffectsPythonQt as effects
    import slicer

    effect = effects.qSlicerSegmentEditorScriptedEffect(None)
    effect.setPythonSource(EFFECT.as_posix())
    effect.self().register()
    widget = slicer.qMRMLSegmentEditorWidget()
    widget.setMRMLScene(slicer.mrmlScene)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    widget.setMRMLSegmentEditorNode(node)
    opened = OpenedEditor(widget)
    yield opened
    widget.setActiveEffect(None)
    opened.effect.cleanup()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]
