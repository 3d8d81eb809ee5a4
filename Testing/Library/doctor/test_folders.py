import os
import shutil
from types import SimpleNamespace

import pytest

from DiffusionSegLib.backbones.places import bundled_folders
from DiffusionSegLib.doctor import folders
from DiffusionSegLib.doctor.folders import section
from DiffusionSegLib.progress import Progress


def told(monkeypatch, examined, free):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    return section(examined, Progress.silent())


def test_folders_and_the_room_in_them(own_models, monkeypatch, examined):
    found = told(monkeypatch, examined, 5_000_000_000)
    assert found.lines == (
        f"Your models: {own_models}, chosen by DIFFUSIONSEG_MODELS, 5.0 GB free",
        f"Models of the program: {bundled_folders()[0]}",
    )
    assert found.problems == ()
    assert found.facts == {"free_bytes": 5_000_000_000, "writable": True, "exists": True}


def test_a_folder_that_is_not_there_yet_is_no_problem(tmp_path, monkeypatch, examined):
    monkeypatch.setattr(folders, "user_data_folder", lambda: tmp_path)
    monkeypatch.setattr(folders, "user_folder", lambda: tmp_path / "models")
    found = told(monkeypatch, examined, 5_000_000_000)
    assert found.lines[0].endswith(", not there yet, 5.0 GB free")
    assert "chosen" not in found.lines[0]
    assert found.problems == ()


def test_a_full_disk_is_a_problem(own_models, monkeypatch, examined):
    (problem,) = told(monkeypatch, examined, 99_999_999).problems
    assert problem.sentence == (
        "The disk of your models has only 100.0 MB free; free some space, or set "
        "DIFFUSIONSEG_MODELS to a folder on another disk."
    )
    assert told(monkeypatch, examined, 100_000_000).problems == ()


def test_a_folder_that_may_only_be_read_and_a_disk_that_does_not_tell(
    own_models, monkeypatch, examined
):
    def silent(path):
        raise OSError("not on this drive")

    monkeypatch.setattr(shutil, "disk_usage", silent)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = section(examined, Progress.silent())
    assert found.lines[0].endswith("chosen by DIFFUSIONSEG_MODELS, read only")
    assert found.facts["free_bytes"] is None
    assert found.problems == ()


@pytest.mark.usefixtures("own_models")
def test_a_program_without_its_models_is_a_problem(monkeypatch, examined):
    monkeypatch.setattr(folders, "bundled_folders", list)
    (problem,) = section(examined, Progress.silent()).problems
    assert problem.sentence == (
        "The models that come with the program are missing; install it again."
    )
