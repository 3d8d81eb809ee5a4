"""A result names the repository that gave the weights, also where one stood in for another."""

import time

import pytest

from DiffusionSegLib.backbones.fetching.hub_copy import HubCopy, write_copy
from DiffusionSegLib.backbones.places import hub_room
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.run_provenance import run_provenance
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.provenance import Provenance
from Testing.Library.backbones.fetching.toy_cards import card_of, write

SETTINGS = {"backbone": {"kind": "pipeline", "source": "org/one"}}


@pytest.mark.parametrize(
    ("gave", "words"),
    [("org/one", "org/one@0094d483a120"), ("org/two@v1", "org/two@0094d483a120"), (None, "")],
)
def test_who_served_is_named(tmp_path, monkeypatch, gave, words):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    entry = write(tmp_path, card_of(settings=SETTINGS))
    if gave is not None:
        commit, room = "0094d483a120f3f33dafbd187ea4aa60d10de75c", hub_room("org/one")
        room.mkdir(parents=True)
        write_copy(HubCopy("org/one", gave, commit, (), ("pipeline",), (), room))
    told = run_provenance(entry, "", Prompt(), RunOptions(), "cpu", time.monotonic(), {})
    assert told.weights_source == words
    assert Provenance.from_tags(told.as_tags()) == told
    assert Provenance.from_json(told.to_json()) == told


def test_bundled_models_come_from_nobody(tmp_path):
    entry = write(tmp_path, card_of())
    told = run_provenance(entry, "", Prompt(), RunOptions(), "cpu", time.monotonic(), {})
    assert told.weights_source == ""
