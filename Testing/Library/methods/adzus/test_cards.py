"""The shipped cards: which diffusion model ADZUS looks through, and how to put in one's own."""

import json

import numpy as np
import pytest

from DiffusionSegLib.backbones.latent_diffusion.monai_bundle import MonaiDiffusion
from DiffusionSegLib.backbones.latent_diffusion.pipeline import DiffusersPipeline
from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.opening import open_backbone
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.nouns.image import Image
from Testing.Library.backbones.latent_diffusion.tiny import save_pipeline
from Testing.Library.backbones.latent_diffusion.tiny_monai import save_bundle
from Testing.Library.methods.adzus.tiny_model import tiny_session, write_models
from Testing.Project.source import ROOT

FOLDER = ROOT / "Resources" / "Models" / "adzus"
CARDS = sorted(path.parent.name for path in FOLDER.glob("*/model.json"))
FETCHED = [name for name in CARDS if name != "compact"]


def entry_of(name):
    return read_manifest(FOLDER / name / "model.json")


def test_there_is_one_that_needs_nothing_fetched_and_it_is_the_default():
    store = ModelStore([ROOT / "Resources" / "Models"])
    assert store.find("adzus").name == "compact"
    assert [entry.name for entry in store.list("adzus")] == CARDS
    assert [name for name in CARDS if entry_of(name).default] == ["compact"]
    assert len(FETCHED) == 5


@pytest.mark.parametrize("name", CARDS)
def test_a_card_says_what_it_must(name):
    entry = entry_of(name)
    assert (entry.id, entry.files) == (f"adzus/{name}", ())
    assert [(part.name, part.kind, part.required) for part in entry.inputs] == [
        ("image", "any", True)
    ]
    assert [(label.value, label.name) for label in entry.labels] == [(1, "Structure")]
    assert 0 < entry.settings["timestep"] < 1000
    assert entry.licence.name and entry.licence.url.startswith("https://")
    assert "12(10), 1036" in entry.citation
    card = (FOLDER / name / "CARD.md").read_text("utf-8")
    told = [entry.title, entry.summary, entry.limits, entry.licence.url, entry.citation]
    assert [text for text in told if text not in card] == []
    assert "Not for clinical use" in card and "## Your own weights" in card


@pytest.mark.parametrize("name", FETCHED)
def test_it_says_that_and_how_much_is_fetched_and_what_to_install(name):
    summary = entry_of(name).summary
    for words in (" GB", "Hugging Face hub at first use", 'pip install "DiffusionSeg[hub]"'):
        assert words in summary
    assert entry_of(name).title.endswith(", from the hub)")


@pytest.mark.parametrize("name", FETCHED)
def test_what_is_fetched_is_its_source(name, monkeypatch, tmp_path):
    """The hub's own library in its offline mode, with an empty cache, says what it was asked."""
    told = pytest.importorskip("huggingface_hub.constants", reason="comes with diffusers")
    monkeypatch.setattr(told, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "models"))
    entry = entry_of(name)
    settings = entry.settings["backbone"]
    with pytest.raises(ModelError, match=f"{settings['source']}' could not be fetched"):
        open_backbone(settings, "cpu", folder=entry.folder)


@pytest.mark.parametrize(
    ("name", "wanted", "save"),
    [
        ("stable-diffusion-1-5", DiffusersPipeline, lambda place, _: place),
        ("monai-cxr-ldm", MonaiDiffusion, lambda place, extra: save_bundle(extra, place)),
    ],
)
def test_one_changed_setting_opens_weights_of_one_s_own(tmp_path, monkeypatch, name, wanted, save):
    """As CARD.md tells it: a copied card, beside it the folder of weights."""
    place = tmp_path / "adzus" / "mine"
    save(save_pipeline(place / "weights"), place / "bundle")
    values = json.loads((FOLDER / name / "model.json").read_text("utf-8"))
    values["name"], values["default"] = "mine", False
    source = "weights" if wanted is DiffusersPipeline else "bundle"
    values["settings"]["backbone"]["source"] = source
    (place / "model.json").write_text(json.dumps(values))
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    entry = ModelStore().find("adzus", "mine")
    found = open_backbone(entry.settings["backbone"], "cpu", folder=entry.folder)
    assert isinstance(found, wanted)
    assert ModelStore().find("adzus").name == "compact"


@pytest.mark.parametrize(
    ("name", "value"), [("timestep", None), ("timestep", "late"), ("timestep", 1.5), ("tau", [1])]
)
def test_settings_that_are_no_numbers_are_told_when_it_is_opened(
    tmp_path, monkeypatch, name, value
):
    card = write_models(tmp_path) / "adzus" / "tiny" / "model.json"
    values = json.loads(card.read_text())
    values["settings"][name] = value
    card.write_text(json.dumps(values))
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="The card of the model adzus/tiny has unusable settings"):
        tiny_session().set_image(Image.from_array(np.eye(32)))
