import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.backbones.manifest import Licence, ModelInput, read_manifest
from DiffusionSegLib.errors import ModelError
from Testing.Library.toy_model import MODELS, write_toy


@pytest.fixture
def card(tmp_path):
    """The folder and the content of a usable card."""
    entry = write_toy(tmp_path, "pair")
    return entry.folder, json.loads((entry.folder / "model.json").read_text("utf-8"))


def read(folder, content):
    path = folder / "model.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_manifest(path)


@pytest.mark.parametrize("name", MODELS)
def test_every_field_is_read(tmp_path, name):
    entry = write_toy(tmp_path, name)
    inputs, labels, grid = MODELS[name]
    assert (entry.id, entry.method, entry.name) == (f"cdal/{name}", "cdal", name)
    assert entry.title == f"Toy {name}"
    assert entry.summary == "For tests."
    assert entry.licence == Licence("CC0-1.0")
    assert entry.modality == tuple(part["kind"] for part in inputs)
    assert entry.inputs == tuple(ModelInput(**part) for part in inputs)
    assert [label.value for label in entry.labels] == list(range(1, labels + 1))
    assert entry.settings["grid"] == grid
    assert entry.folder == tmp_path / "cdal" / name
    assert not entry.default
    assert (
        entry.file("weights.safetensors").size
        == (entry.folder / "weights.safetensors").stat().st_size
    )
    with pytest.raises(ModelError, match=r"lists no file 'other\.bin'"):
        entry.file("other.bin")


@pytest.mark.parametrize(
    "key",
    ["method", "name", "title", "summary", "modality", "licence", "citation", "attribution",
     "files", "inputs", "labels", "settings"],
)  # fmt: skip
def test_a_missing_key_is_named(card, key):
    folder, content = card
    del content[key]
    with pytest.raises(ModelError, match=f"model.json is not usable: '{key}' is missing"):
        read(folder, content)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"licence": {"name": "X", "colour": 1}}, "colour"),
        ({"inputs": [{"name": "CT", "kind": "CT", "need": True}]}, "need"),
        ({"inputs": [{"name": "CT"}]}, "kind"),
        ({"labels": [{"value": 0, "name": "a", "color_rgb": [1, 1, 1]}]}, "1 to 255"),
        ({"labels": [{"value": 1, "name": "a", "color_rgb": [1, 2, 3]}]}, "colour"),
        ({"files": None}, "not usable"),
        ({"files": [{"path": "w", "size": 1e999, "sha256": "0" * 64}]}, "infinity"),
        ({"files": [{"path": "w", "size": "many", "sha256": "0" * 64}]}, "many"),
        ({"files": [{"path": "w", "size": 1, "sha256": "0" * 63}]}, "sha256"),
        ({"files": [{"path": "w", "size": 1, "sha256": "G" * 64}]}, "sha256"),
        ({"settings": 5}, "not usable"),
    ],
)
def test_unusable_values_are_sentences(card, change, word):
    folder, content = card
    with pytest.raises(ModelError, match=word):
        read(folder, {**content, **change})


@pytest.mark.parametrize("path", ["../weights", "/etc/passwd", "a/../../b", ".."])
def test_files_outside_the_folder_are_refused(card, path):
    folder, content = card
    content["files"][0]["path"] = path
    with pytest.raises(ModelError, match="outside the model's folder"):
        read(folder, content)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '"text"', "null", "3", "{}", "[" * 100_000])
def test_garbage_is_refused(card, text):
    with pytest.raises(ModelError, match=r"model\.json"):
        read(card[0], text)


def test_bytes_that_are_no_text_and_a_missing_card(tmp_path):
    path = tmp_path / "model.json"
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(path)
    path.write_bytes(b"\xff\xfe\x00garbage")
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(path)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_junk_in_any_place_is_a_sentence_or_harmless(card, data):
    folder, content = card
    changed = json.loads(json.dumps(content))
    key = data.draw(st.sampled_from(sorted(changed)))
    place, part = changed, key
    while isinstance(place[part], (dict, list)) and place[part] and data.draw(st.booleans()):
        place = place[part]
        part = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict)
                         else st.integers(0, len(place) - 1))  # fmt: skip
    place[part] = data.draw(JUNK)
    try:
        entry = read(folder, changed)
    except ModelError as error:
        assert str(Path("cdal") / "pair" / "model.json") in str(error)
    else:
        assert entry.id == f"{entry.method}/{entry.name}"
