"""The bridge is tested on slicer-core alone: no application, no Qt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Any]:
    """A fresh MRML scene with all logics; VTK errors and exceptions in callbacks fail the test."""
    slicer = pytest.importorskip("slicer", reason="slicer-core has no wheel for this platform")
    from Testing.Harness.failures import failures, watch
    from Testing.Harness.scene import make_scene

    folder = tmp_path / "slicer"
    folder.mkdir()
    watch()
    world = make_scene(folder)
    slicer.mrmlScene = world.scene
    modules = ModuleType("slicer.modules")
    for name, logic in world.logics.items():
        setattr(modules, name.lower(), SimpleNamespace(logic=lambda logic=logic: logic))
    slicer.modules = sys.modules["slicer.modules"] = modules
    failures.clear()
    yield world.scene
    world.scene.Clear(0)
    report = failures.report()
    failures.clear()
    assert not report, report
