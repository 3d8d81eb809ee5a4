"""Fixtures of the Slicer side: a fresh scene, and the unmodified panel over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from Testing.Harness.requirements import missing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's own environment that this computer may have is not the tests'."""
    monkeypatch.setenv("DIFFUSIONSEG_ENVIRONMENT", str(tmp_path / "environment"))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Any]:
    """A fresh MRML scene with all logics; VTK errors and exceptions in callbacks fail the test."""
    if reason := missing():
        pytest.skip(reason)
    from Testing.Harness.boot import boot
    from Testing.Harness.failures import failures

    home = tmp_path / "slicer"
    home.mkdir()
    world = boot(home)
    failures.clear()
    yield world.scene
    world.scene.Clear(0)
    report = failures.report()
    world.scene.RemoveAllObservers()  # so that what a test left there disturbs no later one
    failures.clear()
    assert not report, report


@pytest.fixture
def panel(scene: Any) -> Iterator[Any]:
    """The module DiffusionSeg, opened: `panel.widget` is its widget, `panel.widget.ui` the page."""
    from Testing.Harness.boot import openModule

    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    yield module
    module.close()
