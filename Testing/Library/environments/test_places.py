"""The user's folder lies where platformdirs would put it."""

import sys
from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from DiffusionSegLib.backbones import places
from DiffusionSegLib.backbones.places import user_data_folder, user_folder
from DiffusionSegLib.environments.isolated import default_environment


@pytest.mark.parametrize("xdg", [None, "", "/somewhere/else", "relative/path"])
def test_linux(monkeypatch, tmp_path, xdg):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_DATA_HOME", xdg)
    assert user_data_folder("linux") == Path(Unix("DiffusionSeg").user_data_dir)


def test_mac(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert user_data_folder("darwin") == Path(MacOS("DiffusionSeg").user_data_dir)


def test_windows(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.windows.get_win_folder", lambda name: str(tmp_path))
    expected = Path(Windows("DiffusionSeg").user_data_dir)
    assert user_data_folder("win32", {"LOCALAPPDATA": str(tmp_path)}) == expected
    assert user_data_folder("win32", {}) == Path.home() / "AppData/Local/DiffusionSeg/DiffusionSeg"


def test_models_and_the_environment_lie_in_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DIFFUSIONSEG_MODELS", "DIFFUSIONSEG_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    assert user_folder() == tmp_path / "DiffusionSeg" / "models"
    assert default_environment().folder == tmp_path / "DiffusionSeg" / "environment"
    monkeypatch.setenv("DIFFUSIONSEG_ENVIRONMENT", "~/elsewhere")
    assert default_environment().folder == Path.home() / "elsewhere"


def test_the_versions_are_found_in_an_installed_package_too(monkeypatch, tmp_path):
    package = tmp_path / "DiffusionSegLib" / "backbones"
    monkeypatch.setattr(places, "__file__", str(package / "places.py"))
    assert places.constraints_file() is None
    inside = package.parent / "Resources" / "constraints.txt"
    inside.parent.mkdir(parents=True)
    inside.write_text("torch==1\n")
    assert places.constraints_file() == inside
