"""What a card knows of files on the hub is read, checked, and holds for those that stand in."""

import json

import pytest

from DiffusionSegLib.backbones.fetching.hub_parts import HubPart, hub_parts
from DiffusionSegLib.backbones.manifest import parse_manifest
from DiffusionSegLib.backbones.pins import Pin, read_pins
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError
from Testing.Library.backbones.fetching.toy_cards import card_of
from Testing.Project.source import ROOT

SUM, OTHER = "0" * 63 + "a", "f" * 64


def test_a_card_s_pins_are_read(tmp_path):
    pins = {"org/one": {"revision": "v1", "sha256": {"w.bin": SUM}}, "org/two": {}}
    card = card_of(pins=pins)
    entry = parse_manifest(json.dumps(card).encode(), tmp_path / "model.json")
    assert entry.pins == {"org/one": Pin("v1", {"w.bin": SUM}), "org/two": Pin()}
    assert parse_manifest(json.dumps(card_of()).encode(), tmp_path / "m").pins == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "a table by hub id"),
        ({"one": {}}, "no hub id"),
        ({"org/one@v1": {}}, "no hub id"),
        ({"org/one": []}, "a revision and sha256"),
        ({"org/one": {"commit": "1"}}, "a revision and sha256"),
        ({"org/one": {"revision": 5}}, "a text without spaces"),
        ({"org/one": {"revision": "a b"}}, "a text without spaces"),
        ({"org/one": {"sha256": [SUM]}}, "a table by path"),
        ({"org/one": {"sha256": {"w": "0" * 63}}}, "not 64 hexadecimal digits"),
        ({"org/one": {"sha256": {"w": None}}}, "not 64 hexadecimal digits"),
    ],
)
def test_what_is_no_pin_is_a_sentence(tmp_path, values, words):
    with pytest.raises(ValueError, match=words):
        read_pins(values)
    content = json.dumps(card_of(pins=values)).encode()
    with pytest.raises(ModelError, match=rf"not usable: .*{words}"):
        parse_manifest(content, tmp_path / "model.json")


def test_who_stands_in_has_to_serve_the_same_bytes_unless_the_card_knows_others():
    pins = {"org/one": Pin("", {"a": SUM, "b": SUM}), "org/two": Pin("v2", {"b": OTHER})}
    part = HubPart("clip", "org/one", ("org/two", "org/three@v3"), pins)
    assert [part.sha256_of("org/two", name) for name in "abc"] == [SUM, OTHER, ""]
    assert part.sha256_of("org/three@v3", "a") == SUM
    assert [part.revision_of(one) for one in part.sources] == ["", "v2", "v3"]


def test_the_shipped_cards_pin_what_is_known_in_public():
    """No sum is there for a file that the model does not use."""
    known = {}
    for entry in ModelStore([ROOT / "Resources" / "Models"]).list():
        named = {part.source for part in hub_parts(entry)}
        named |= {source.where for source in entry.sources}
        assert set(entry.pins) <= named, entry.id
        for pin in entry.pins.values():
            for path in pin.sha256:
                half = "fp16" in path
                choosers = [part.chooser() for part in hub_parts(entry)]
                chosen = {one for choose in choosers for one in choose([path], half)}
                assert path in chosen, (entry.id, path)
        known[entry.id] = sum(len(pin.sha256) for pin in entry.pins.values())
    assert known["adzus/stable-diffusion-2-1-base"] == 9
    assert known["adzus/stable-diffusion-1-5"] == 6
    assert known["diffugts/maisi-rflow-ct"] == 1
