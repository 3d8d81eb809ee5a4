"""What would go is told exactly; what the user dropped in himself stays."""

import json
import os

import pytest

from DiffusionSegLib.backbones.fetching.licences import accept_licence
from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.places import bundled_folders, user_data_folder, user_folder
from DiffusionSegLib.environments.isolated import default_environment
from DiffusionSegLib.environments.marker import NAME, Marker, write_marker
from DiffusionSegLib.environments.removal import Removable, removable, remove_all
from DiffusionSegLib.errors import Cancelled, OutputError
from DiffusionSegLib.planning.rates import rates_file
from DiffusionSegLib.progress import Progress


def write(path, size=1000):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def write_model(name, sources=(), accepted=False):
    """A folder with a card in the user's folder."""
    folder = user_folder() / "cdal" / name
    write(folder / "weights.safetensors", 5000)
    card = {
        "method": "cdal", "name": name, "title": name, "summary": "x", "modality": ["MR"],
        "licence": {"name": "CC0-1.0"}, "citation": "x", "attribution": "x",
        "files": [{"path": "weights.safetensors", "size": 5000, "sha256": "0" * 64,
                   "sources": list(sources)}],
        "inputs": [], "labels": [], "settings": {},
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(card))
    entry = read_manifest(folder / "model.json")
    if accepted:
        accept_licence(entry)
    return folder


def paths(kind="models"):
    return {one.path.name for one in removable() if one.kind == kind}


def bundled_card():
    """A card of the program whose weights are fetched, and a file of it."""
    for folder in bundled_folders():
        for card in sorted(folder.glob("*/*/model.json")):
            entry = read_manifest(card)
            if entry.files:
                return entry
    raise AssertionError("no bundled card lists files")


SOURCE = {"url": "https://example.org/weights.safetensors"}


def test_nothing_is_there_at_first():
    assert removable() == ()
    assert remove_all(()) == 0


def test_what_was_downloaded_goes_and_what_was_dropped_in_stays():
    fetched = write_model("fetched", [SOURCE], accepted=True)
    dropped = write_model("dropped")
    imported_without_source = write_model("precious", accepted=True)
    never_accepted = write_model("own-with-source", [SOURCE])
    assert paths() == {"fetched"}
    freed = remove_all(removable())
    assert freed > 5000
    assert not fetched.exists()
    assert all(one.is_dir() for one in (dropped, imported_without_source, never_accepted))


def test_weights_of_the_program_s_own_cards_go_and_a_file_beside_them_stays():
    entry = bundled_card()
    folder = user_folder() / entry.method / entry.name
    weights = write(folder / entry.files[0].path)
    part = write(folder / f".{entry.files[0].path}.0123.part", 50)
    mine = write(folder / "notes.txt", 7)
    (item,) = [one for one in removable() if one.path == folder]
    assert item.bytes == 1050 and set(item.paths) == {weights, part}
    assert remove_all([item]) == 1050
    assert mine.exists() and not weights.exists() and not part.exists()


def test_a_card_that_cannot_be_read_is_the_user_s():
    entry = bundled_card()
    folder = user_folder() / entry.method / entry.name
    write(folder / entry.files[0].path)
    write(folder / "model.json", 3)
    assert paths() == set()


def test_hub_copies_packages_licences_and_measurements_go(monkeypatch):
    models = user_folder()
    write(models / "hub" / "org--name" / "unet" / "model.safetensors")
    write(models / "hub" / "org--name" / "diffusionseg-files.json", 10)
    write(models / "wheels" / "torch.whl", 200)
    write(models / "licences.json", 30)
    write(models / ".import.lock", 0)
    monkeypatch.delenv("DIFFUSIONSEG_RATES", raising=False)
    write(rates_file(), 40)
    found = {one.kind: one.bytes for one in removable()}
    assert found == {"models": 1010, "packages": 200, "licences": 30, "measurements": 40}
    assert remove_all(removable()) == 1280
    assert not user_data_folder().exists() or not any(
        path.is_file() and path.name != ".import.lock" for path in user_data_folder().rglob("*")
    )


def test_a_folder_in_the_hub_s_room_that_is_not_ours_stays():
    write(user_folder() / "hub" / "my own stuff" / "x")
    assert removable() == ()


def test_the_environment_goes_with_its_tools():
    environment = default_environment()
    write(environment.folder / "lib" / "x", 500)
    write_marker(environment.folder, Marker())
    write(environment.tools / "uv" / "bin" / "uv", 300)
    write_marker(environment.tools, Marker())
    write(environment.folder / "mine.txt", 11)
    (item,) = removable()
    assert (item.kind, item.path, item.bytes) == (
        "environment", environment.folder, environment.size_bytes()
    )  # fmt: skip
    assert item.bytes == 800 + 2 * (environment.tools / NAME).stat().st_size
    assert remove_all([item]) == item.bytes
    assert [path.name for path in environment.folder.iterdir()] == ["mine.txt"]
    assert not environment.tools.exists()


def test_tools_alone_are_found_as_well():
    environment = default_environment()
    write(environment.tools / "uv" / "bin" / "uv", 300)
    write_marker(environment.tools, Marker())
    (item,) = removable()
    assert remove_all([item]) == item.bytes
    assert not environment.tools.exists()


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_links_out_of_the_folders_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    write(outside / "name" / "scan.dcm")
    write(outside / "diffusionseg-files.json")
    user_folder().mkdir(parents=True)
    (user_folder() / "cdal").symlink_to(outside)
    (user_folder() / "hub").mkdir()
    (user_folder() / "hub" / "org--name").symlink_to(outside)
    assert paths() == set()
    for path in (user_folder() / "cdal" / "name", outside, user_folder(), user_data_folder()):
        with pytest.raises(OutputError, match="not lie in a folder of this program, or a link"):
            remove_all([Removable("x", path, 1, "models", (path,))])
    assert (outside / "name" / "scan.dcm").exists()


def test_it_can_be_stopped():
    write(user_folder() / "licences.json")
    with pytest.raises(Cancelled):
        remove_all(removable(), Progress(cancelled=lambda: True))
    assert (user_folder() / "licences.json").exists()


def test_a_chosen_folder_of_models_is_left_when_it_is_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "mine"))
    write(tmp_path / "mine" / "licences.json")
    remove_all(removable())
    assert list((tmp_path / "mine").iterdir()) == []
