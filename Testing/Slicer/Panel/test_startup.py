"""What happens when Slicer starts: samples are listed, nothing heavy, and nothing can break it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest

from Testing.Slicer.Panel.conftest import ROOT


@pytest.fixture
def sample_data(scene: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Slicer's Sample Data module, as far as registering goes."""
    import importlib.machinery

    import slicer

    found: list[dict[str, Any]] = []

    class SampleDataLogic:
        @staticmethod
        def registerCustomSampleDataSource(**values: Any) -> None:
            found.append(values)

    module = ModuleType("SampleData")
    module.__spec__ = importlib.machinery.ModuleSpec("SampleData", None)
    vars(module)["SampleDataLogic"] = SampleDataLogic
    monkeypatch.setitem(sys.modules, "SampleData", module)
    monkeypatch.setattr(slicer.modules, "sampledata", object(), raising=False)
    return found


def test_the_samples_are_registered(sample_data: list[dict[str, Any]], scene: Any) -> None:
    import slicer

    from DiffusionSegPanel.sample_data import registerSampleData, sampleEntries

    registerSampleData()
    assert len(sample_data) == len(sampleEntries()) > 5
    for values in sample_data:
        assert values["category"] == "DiffusionSeg"
        assert len(values["uris"]) == len(values["fileNames"]) == len(values["nodeNames"])
        for uri in values["uris"]:
            assert urlparse(uri).scheme == "file"
            assert Path(url2pathname(urlparse(uri).path)).is_file()
    path = url2pathname(urlparse(sample_data[0]["uris"][0]).path)
    assert slicer.util.loadVolume(path).GetImageData().GetNumberOfPoints() > 1000


def test_without_sample_data_nothing_breaks(scene: Any) -> None:
    from DiffusionSegPanel.sample_data import registerSampleData

    assert "SampleData" not in sys.modules
    registerSampleData()


def test_starting_slicer_imports_no_numpy_and_no_engine(tmp_path: Path) -> None:
    """The module file and what startupCompleted does, in a fresh interpreter with empty modules."""
    code = f"""
import sys, types
def module(name, **values):
    made = types.ModuleType(name); vars(made).update(values); sys.modules[name] = made; return made
base = type("Base", (), {{"__init__": lambda self, parent: None}})
slicer = module("slicer", modules=types.SimpleNamespace())
module("qt"); module("slicer.i18n", tr=str, translate=lambda c, t: t)
names = ["", "Widget", "Logic", "Test"]
module("slicer.ScriptedLoadableModule", **{{"ScriptedLoadableModule" + n: base for n in names}})
module("qSlicerSegmentationsEditorEffectsPythonQt", qSlicerSegmentEditorScriptedEffect=None)
sys.path.insert(0, {str(ROOT / "DiffusionSeg")!r})
import DiffusionSeg
DiffusionSeg._registerSamples()
heavy = [name for name in sys.modules if name.split(".")[0] in
         ("numpy", "torch", "scipy", "SimpleITK", "vtk", "DiffusionSegBridge")]
assert not heavy, heavy
assert "DiffusionSegLib.nouns" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_module_describes_itself(opened: Any) -> None:
    parent = opened.module.parent
    assert parent.title == "DiffusionSeg"
    assert parent.categories == ["Segmentation"]
    assert "not diffusion MRI" in parent.helpText
    assert "Not for clinical use" in parent.helpText


def test_the_self_test_passes(
    scene: Any, workers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DiffusionSegTest, as Slicer runs it, with the worker that the other tests use."""
    from DiffusionSegPanel import outline_once, worker_settings
    from Testing.Harness.boot import openModule
    from Testing.Slicer.Panel.conftest import Lasting

    if "" not in workers:
        workers[""] = worker_settings.createClient("")
    monkeypatch.setattr(outline_once, "createClient", lambda _: Lasting(workers[""]))
    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    module.exit()
    module.instance.runTest()
    module.close()
