"""No stand-in offers what Slicer does not have, so that a module that runs here is not misled."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

MANAGERS = {
    "Application": "slicer.qSlicerApplication",
    "LayoutManager": "slicer.qSlicerLayoutManager",
    "ModuleManager": "slicer.qSlicerModuleManager",
}


def pairs() -> list[tuple[type, str]]:
    """Each stand-in with the name of the real class."""
    import importlib

    found: list[tuple[type, str]] = []
    for module_name, prefix in (("ctk_standins", "ctk"), ("qmrml_standins", "slicer")):
        module = importlib.import_module(f"Testing.Harness.{module_name}")
        found += [(getattr(module, name), f"{prefix}.{name}") for name in module.__all__]
    application = importlib.import_module("Testing.Harness.application")
    found += [(getattr(application, name), real) for name, real in MANAGERS.items()]
    nodes_io = importlib.import_module("Testing.Harness.nodes_io")
    extensions = importlib.import_module("Testing.Harness.extensions_manager")
    return [
        *found,
        (nodes_io.NodesIO, "slicer.qSlicerIOManager"),
        (extensions.ExtensionsManagerModel, "slicer.qSlicerExtensionsManagerModel"),
    ]


def test_stand_ins_offer_only_what_slicer_has(scene: Any) -> None:
    from Testing.Harness.real_api import FACTS, inventions, offered

    wrong = []
    for stand_in, real in pairs():
        if real == "slicer.qSlicerSegmentEditorScriptedEffect":
            known = set(FACTS["scripted_effect"])
            wrong += [f"{real} has no {name}" for name, _ in offered(stand_in) if name not in known]
        else:
            wrong += inventions(stand_in, real)
    assert wrong == []


def test_an_invention_is_seen(scene: Any) -> None:
    from PySide6.QtCore import Property, Signal

    from Testing.Harness.ctk_standins import ctkSliderWidget
    from Testing.Harness.real_api import inventions

    class Invented(ctkSliderWidget):
        sliderJumped = Signal()
        valueIsChanging = Signal(int)
        setValue = Property(int, lambda _: 0)

        def jump(self) -> None:
            """No such thing."""

    Invented.__module__ = ctkSliderWidget.__module__
    found = inventions(Invented, "ctk.ctkSliderWidget")
    assert sorted(found) == [
        "ctk.ctkSliderWidget has no jump",
        "ctk.ctkSliderWidget has no signal valueIsChanging(int)",
        "ctk.ctkSliderWidget has no sliderJumped",
        "ctk.ctkSliderWidget.setValue is not a property",
    ]


def test_the_qt_module_has_only_pythonqt_names(scene: Any) -> None:
    import qt

    from Testing.Harness.real_api import FACTS

    names = {name for name in vars(qt) if not name.startswith("_")}
    assert names <= set(FACTS["qt"])
    assert {"QWidget", "QTimer", "Qt", "QShortcut"} <= names
    assert "QThread" not in names


@pytest.mark.parametrize(
    "module", ["slicer.ScriptedLoadableModule", "slicer.i18n", "slicer.parameterNodeWrapper"]
)
def test_python_modules_offer_only_what_slicer_has(scene: Any, module: str) -> None:
    import sys

    from Testing.Harness.real_api import FACTS

    known = FACTS["modules"][module]
    content = {n: v for n, v in vars(sys.modules[module]).items() if not n.startswith("_")}
    assert set(content) <= set(known)
    for name, value in content.items():
        if inspect.isclass(value) and isinstance(known[name], list):
            own = {n for n in vars(value) if not n.startswith("_")}
            assert own <= set(known[name]), name


def test_names_added_later_say_since_when_and_why() -> None:
    path = Path(__file__).resolve().parents[2] / "Harness" / "real_api.json"
    for entry in json.loads(path.read_text("utf-8"))["later"]:
        assert set(entry) == {"name", "since", "reason"}
        assert tuple(map(int, entry["since"].split("."))) > (5, 8)
        assert entry["reason"]
