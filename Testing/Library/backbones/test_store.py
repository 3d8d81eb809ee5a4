import json
import logging

import pytest

from DiffusionSegLib.backbones import store as store_module
from DiffusionSegLib.backbones.store import ModelStore, file_sha256
from DiffusionSegLib.errors import ModelError, UnknownNameError
from Testing.Library.toy_model import write_card, write_toy


def change(entry, **values):
    card = json.loads((entry.folder / "model.json").read_text("utf-8"))
    return write_card(entry.folder, {**card, **values})


def test_models_are_listed_by_method_and_found_by_name_or_id(tmp_path):
    for name in ("parts", "gray"):
        write_toy(tmp_path, name)
    store = ModelStore([tmp_path, tmp_path / "not there"])
    assert [entry.id for entry in store.list()] == ["cdal/gray", "cdal/parts"]
    assert store.list("another") == []
    for name in ("parts", "PARTS", "cdal/parts"):
        assert store.find("cdal", name).id == "cdal/parts"


def test_a_wrong_name_suggests_the_nearest(tmp_path):
    for name in ("parts", "gray"):
        write_toy(tmp_path, name)
    with pytest.raises(UnknownNameError, match=r"'prats'\. Did you mean 'parts'\?.*gray, parts"):
        ModelStore([tmp_path]).find("cdal", "prats")
    with pytest.raises(UnknownNameError, match="no model of cdal is available"):
        ModelStore([]).find("cdal", "parts")


def test_the_default_is_the_one_that_says_so_else_the_only_one(tmp_path):
    only = write_toy(tmp_path, "gray")
    store = ModelStore([tmp_path])
    assert store.find("cdal").id == only.id
    parts = write_toy(tmp_path, "parts")
    with pytest.raises(UnknownNameError, match=r"no default model of cdal.*gray, parts"):
        store.find("cdal")
    change(parts, default=True)
    assert store.find("cdal").id == parts.id


def test_a_broken_card_is_logged_and_hides_no_other(tmp_path, caplog):
    write_toy(tmp_path, "parts")
    for name, text in (("a", "{"), ("b", "[]"), ("c", "\0")):
        place = tmp_path / "cdal" / name
        place.mkdir()
        (place / "model.json").write_text(text)
    (tmp_path / "cdal" / "folder" / "model.json").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        assert [entry.id for entry in ModelStore([tmp_path]).list()] == ["cdal/parts"]
    assert len(caplog.records) == 4


def test_the_user_folder_shows_a_dropped_in_model(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    before = [entry.id for entry in ModelStore().list()]
    write_toy(tmp_path, "gray")
    assert sorted([*before, "cdal/gray"]) == [entry.id for entry in ModelStore().list()]
    assert ModelStore().find("cdal", "gray").folder == tmp_path / "cdal" / "gray"


def test_the_bundled_model_wins_over_a_dropped_in_one(tmp_path, monkeypatch, caplog):
    bundled, dropped = tmp_path / "bundled", tmp_path / "dropped"
    write_toy(bundled, "gray")
    change(write_toy(dropped, "gray"), title="Impostor")
    monkeypatch.setattr(store_module, "_bundled", lambda: [bundled])
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(dropped))
    with caplog.at_level(logging.WARNING):
        assert [entry.title for entry in ModelStore().list()] == ["Toy gray"]
    (record,) = caplog.records  # it is said which one is used, and how the other can be
    for words in (bundled, f"{dropped / 'cdal' / 'gray'} is not", f"--model {dropped}"):
        assert str(words) in record.getMessage()
    other = ModelStore().find("cdal", str(dropped / "cdal" / "gray"))
    assert other.title == "Impostor"
    with pytest.raises(UnknownNameError, match="no model of adzus 'cdal/gray'"):
        ModelStore().find("adzus", str(dropped / "cdal" / "gray"))


@pytest.mark.parametrize("name", ["~nobody/x", "a/" + "b" * 5000, "a/\0", "/", "../..", "\\"])
def test_names_that_look_like_folders_are_only_wrong_names(tmp_path, name):
    write_toy(tmp_path, "gray")
    with pytest.raises(UnknownNameError):
        ModelStore([tmp_path]).find("cdal", name)


def test_the_real_bundled_folder_is_the_checkouts():
    (folder,) = store_module._bundled()
    assert folder.parts[-2:] == ("Resources", "Models")


def test_verify_checks_every_file(tmp_path):
    entry = write_toy(tmp_path, "gray")
    extra = entry.folder / "notes.txt"
    extra.write_text("words")
    files = [vars(part) for part in entry.files]
    files.append({"path": "notes.txt", "size": 5, "sha256": file_sha256(extra)})
    entry = change(entry, files=files)
    ModelStore([tmp_path]).verify(entry)
    extra.write_text("wor")
    with pytest.raises(ModelError, match="have 3 bytes instead of 5"):
        ModelStore([tmp_path]).verify(entry)
    extra.write_text("WORDS")
    with pytest.raises(ModelError, match="sha256"):
        ModelStore([tmp_path]).verify(entry)
    extra.unlink()
    with pytest.raises(ModelError, match="missing"):
        ModelStore([tmp_path]).verify(entry)


def test_sha256_is_the_standard_one(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-4, example of one block.
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
