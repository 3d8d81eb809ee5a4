"""Fixtures of the Slicer side: a fresh scene, and the unmodified panel over it."""

from __future__ import annotations

import ctypes.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
}


def _missing() -> str:
    """Why the harness cannot start here; empty when it can."""
    for name, extra in (("slicer", "slicer-core"), ("PySide6", "PySide6-Essentials")):
        if not _importable(name):
            return f"{extra} is not installed (pip install -e '.[test]')"
    packages = [deb for name, deb in _LIBRARIES.items() if not ctypes.util.find_library(name)]
    if packages and not _importable("PySide6.QtWidgets"):
        return f"Qt misses system libraries: apt install {' '.join(packages)}"
    return ""


def _importable(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Any]:
    """A fresh MRML scene with all logics; VTK errors and exceptions in callbacks fail the test."""
    if reason := _missing():
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
    failures.clear()
    assert not report, report


@pytest.fixture
def panel(scene: Any) -> Iterator[Any]:
    """The module DiffusionSeg, opened: `panel.widget` is its widget, `panel.widget.ui` the page."""
    from Testing.Harness.boot import openModule

    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    yield module
    module.close()
