"""The folder of models: never in a cache, and a sentence when it cannot be used."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from DiffusionSegLib.backbones.fetching.bundle_export import export_bundle
from DiffusionSegLib.backbones.places import missing_folder_note, user_folder
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.fetching.toy_cards import card_of, content, file_of, write

DATA = content(0, 50_000)


def slicer_caches():
    """Slicer's own (Qt's CacheLocation with its organization and name), and what it unpacks to."""
    home = Path.home()
    roots = [
        Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache"),
        home / "Library" / "Caches",
        Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "cache",
    ]
    named = [root / "slicer.org" / "Slicer" for root in roots]
    return [*roots, *named, Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/tmp")]


def test_the_usual_folder_is_in_no_cache(monkeypatch):
    monkeypatch.delenv("DIFFUSIONSEG_MODELS", raising=False)
    usual = user_folder().absolute()
    for cache in slicer_caches():
        assert cache.absolute() not in (usual, *usual.parents), cache


@pytest.mark.parametrize("system", [Unix, MacOS])
def test_nor_on_the_other_systems(system):
    """The folder is models in the user's data folder (see places)."""
    told = system("DiffusionSeg")
    models = told.user_data_path / "models"
    for cache in (told.user_cache_path, told.site_cache_path):
        assert cache != models and cache not in models.parents


def test_nor_on_windows(monkeypatch):
    monkeypatch.setattr(
        "platformdirs.windows.get_win_folder", lambda name: f"C:/Users/me/{name}", raising=False
    )
    told = Windows("DiffusionSeg")
    models = Path(told.user_data_dir.replace("\\", "/")) / "models"
    cache = Path(told.user_cache_dir.replace("\\", "/"))
    assert cache != models and cache not in models.parents


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    entry = write(tmp_path / "there", card_of(files=[file_of("w", DATA)]))
    (entry.folder / "w").write_bytes(DATA)
    export_bundle([entry], tmp_path / "b.zip", Progress.silent())
    return str(tmp_path / "b.zip")


@pytest.mark.parametrize("name", ["with spaces", "Ärzte 模型", "a'b\"c", "percent%20", "new\nline"])
def test_a_folder_of_any_name_works(tmp_path, monkeypatch, bundle, capsys, name):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / name))
    assert main(["models", "import", bundle, "--accept-licence", "--quiet"]) == exit_codes.OK
    assert main(["models", "verify", "toy"]) == exit_codes.OK
    assert capsys.readouterr().out == "cdal/toy: whole\n"
    assert main(["models", "remove", "toy", "--yes"]) == exit_codes.OK
    assert not (tmp_path / name / "cdal" / "toy").exists()


@pytest.mark.parametrize("told", ["", "   "])
def test_a_blank_setting_is_none(monkeypatch, told):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", told)
    assert user_folder().parts[-2:] == ("DiffusionSeg", "models")
    assert missing_folder_note() == ""


def test_a_file_in_its_place_is_a_sentence(tmp_path, monkeypatch, bundle, capsys):
    (tmp_path / "file").write_text("words")
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "file"))
    for words in (["import", bundle], ["download", "stable-diffusion-1-5"]):
        code = main(["models", *words, "--accept-licence", "--quiet"])
        told = capsys.readouterr().err
        assert code == exit_codes.BAD_INPUT and len(told.splitlines()) == 1
        assert "Set DIFFUSIONSEG_MODELS to a folder" in told
    assert main(["models"]) == exit_codes.OK
    told = capsys.readouterr().out
    assert "is no folder, and its models are not listed" in told and "cdal/hippocampus" in told
    assert (tmp_path / "file").read_text() == "words"


def test_a_disk_that_was_pulled_out_is_told(tmp_path, monkeypatch, bundle, capsys):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "stick" / "models"))
    assert main(["models", "import", bundle, "--accept-licence", "--quiet"]) == exit_codes.OK
    assert main(["models", "list", "toy"]) == exit_codes.OK
    assert "is not there" not in capsys.readouterr().out
    (tmp_path / "stick").rename(tmp_path / "pocket")
    assert main(["models"]) == exit_codes.OK
    assert "is not there, and its models are not listed: plug in" in capsys.readouterr().out
    assert main(["models", "verify", "toy"]) == exit_codes.BAD_INPUT
    told = capsys.readouterr().err
    assert "There is no model 'toy'" in told and "is not there" in told


def test_names_that_several_models_have_are_told_apart(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    assert main(["models", "info", "none"]) == exit_codes.BAD_INPUT
    told = capsys.readouterr().err
    assert "adzus/compact, backbone/compact" in told and "compact, compact" not in told


@pytest.fixture
def read_only(tmp_path):
    """A share that may only be read, with a card whose file is not there."""
    place = tmp_path / "share"
    place.mkdir()
    mounted = False
    if os.name == "posix" and os.geteuid() == 0:  # whom a mode does not keep out
        words = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
        if not mounted:
            pytest.skip("a file system may not be mounted here")
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "w").write_bytes(DATA)
    write(place, card_of(files=[file_of("w", DATA, sources=[{"folder": str(folder)}])]))
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    else:
        for one in (place / "cdal" / "toy", place / "cdal", place):
            one.chmod(0o555)
    yield place
    if mounted:
        subprocess.run(["umount", str(place)], check=True)
    else:
        for one in (place, place / "cdal", place / "cdal" / "toy"):
            one.chmod(0o755)


def test_a_share_that_may_only_be_read_is_a_sentence(read_only, monkeypatch, bundle, capsys):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(read_only))
    for words in (["import", bundle], ["download", "toy"], ["remove", "toy", "--yes"]):
        code = main(["models", *words, "--accept-licence", "--quiet"])
        told = capsys.readouterr().err
        assert code == exit_codes.BAD_INPUT and len(told.splitlines()) == 1, told
        assert "DIFFUSIONSEG_MODELS to" in told and "may write" in told
    assert main(["models", "list", "toy"]) == exit_codes.OK
    assert main(["models", "verify", "toy"]) == exit_codes.OK


def test_what_lies_on_a_share_that_may_only_be_read_is_used(read_only, monkeypatch, capsys):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(read_only))
    assert ModelStore().find("cdal", "toy").folder == read_only / "cdal" / "toy"


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has a /proc")
def test_the_program_starts_where_its_folder_cannot_be_made(bundle):
    code = "import sys; from DiffusionSegLib.cli.main import main; sys.exit(main(['models']))"
    variables = {**os.environ, "DIFFUSIONSEG_MODELS": "/proc/nothing/models"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "cdal/hippocampus" in done.stdout, done.stderr


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch, tmp_path):
    """A number of a container that no user has; what does not need a home works."""

    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    for name in ("HOME", "XDG_DATA_HOME", "DIFFUSIONSEG_MODELS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"no home folder.* set the environment variable HOME"):
        user_folder()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "DiffusionSeg" / "models"


def test_a_folder_that_cannot_be_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", "/" + "x" * 5000)
    assert main(["models"]) == exit_codes.OK
    told = capsys.readouterr()
    assert "cdal/hippocampus" in told.out
    assert "cannot be read (File name too long), and its models are not listed" in told.out
