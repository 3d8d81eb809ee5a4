"""A session with a store of its own opens everything from there."""

import json

import pytest

from DiffusionSegLib.backbones.store import ModelStore, file_sha256, store_of
from DiffusionSegLib.errors import UnknownNameError
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.prompt import Point, Prompt
from DiffusionSegLib.session import Session
from Testing.Library.backbones.compact.tiny import write_model
from Testing.Library.backbones.fetching.toy_cards import card_of, write
from Testing.Library.toy_model import smooth_image
from Testing.Project.source import ROOT

BACKBONE = {"kind": "compact", "name": "tiny"}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Cards and what they are built on lie in two folders, and none of them is the usual one."""
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "usual"))
    write_model(tmp_path / "second" / "backbone" / "tiny")
    return ModelStore([tmp_path / "first", tmp_path / "second"])


def weights_of(tmp_path):
    return file_sha256(tmp_path / "second" / "backbone" / "tiny" / "weights.safetensors")


def test_a_session_opens_the_backbone_of_its_store(store, tmp_path):
    settings = {"backbone": BACKBONE, "timestep": 100}
    write(tmp_path / "first", {**card_of("mine", settings=settings), "method": "adzus"})
    session = Session("adzus", "mine", device="cpu", store=store)
    session.set_image(smooth_image(Geometry((1, 64, 64)), ("image",)))
    inside = Point(tuple(map(float, Geometry((1, 64, 64)).kji_to_ras([[0, 32, 32]])[0])), True)
    told = session.propose(Prompt(points=(inside,))).provenance
    assert told.weights_sha256 == weights_of(tmp_path)
    with pytest.raises(UnknownNameError):
        Session("adzus", "mine", device="cpu", store=ModelStore([tmp_path / "second"]))


def test_a_card_named_by_its_folder_is_built_on_the_store_s_models_too(store, tmp_path):
    place = write(tmp_path / "third", {**card_of("mine"), "method": "adzus"}).folder
    assert store_of(store.find("adzus", str(place))).list("backbone")[0].id == "backbone/tiny"


def test_the_generative_backbone_is_the_store_s_too(store, tmp_path):
    shipped = ROOT / "Resources" / "Models" / "diffugts" / "maisi-rflow-mr" / "model.json"
    settings = {**json.loads(shipped.read_text())["settings"], "backbone": BACKBONE, "grid": {}}
    write(tmp_path / "first", {**card_of("mine", settings=settings), "method": "diffugts"})
    predictor = get_method("diffugts").open(store.find("diffugts", "mine"), "cpu")
    assert predictor.backbone.weights_sha256 == weights_of(tmp_path)
