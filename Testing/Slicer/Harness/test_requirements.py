"""A machine without Qt's libraries is told what to install, instead of failing every test."""

from __future__ import annotations

import pytest

from Testing.Harness import requirements


def test_missing_packages_and_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.ctypes.util, "find_library", lambda name: None)
    absent = {"PySide6.QtWidgets"}
    monkeypatch.setattr(requirements, "importable", lambda name: name not in absent)
    assert requirements.missing().endswith(" ".join(requirements.LIBRARIES.values()))
    absent.add("PySide6")
    assert "PySide6-Essentials is not installed" in requirements.missing()
    absent.clear()
    assert requirements.missing() == ""


def test_what_is_importable() -> None:
    assert requirements.importable("json")
    assert not requirements.importable("no_such_module_anywhere")
