"""The shipped cards of MAISI's models: what they say, and that they open what they name."""

import json

import pytest

from DiffusionSegLib.backbones.fetching.hub_parts import hub_parts
from DiffusionSegLib.backbones.fetching.standing import check_ready
from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.backbones.maisi.variants import VARIANTS
from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.intensities import IntensityRule
from DiffusionSegLib.methods.diffugts.predictor import DiffuGtsPredictor
from DiffusionSegLib.methods.diffugts.run_settings import RunSettings
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid
from Testing.Library.backbones.maisi.tiny_maisi import config_of, save_maisi
from Testing.Project.source import ROOT

FOLDER = ROOT / "Resources" / "Models" / "diffugts"
NAMES = sorted(VARIANTS)


def entry_of(name):
    return read_manifest(FOLDER / f"maisi-{name}" / "model.json")


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_it_must(name):
    entry, variant = entry_of(name), VARIANTS[name]
    assert (entry.id, entry.files, entry.default) == (f"diffugts/maisi-{name}", (), False)
    assert entry.modality == (variant.modality.upper(),)
    assert [(part.kind, part.required) for part in entry.inputs] == [(entry.modality[0], True)]
    assert (entry.licence.name, entry.licence.url, entry.licence.commercial) == (
        variant.licence.name, variant.licence.url, variant.licence.commercial,
    )  # fmt: skip
    assert "arXiv:2505.02753" in entry.citation and "arXiv:2409.11169" in entry.citation
    for words in (" GB", "Hugging Face hub at first use", 'pip install "DiffusionSeg[hub]"'):
        assert words in entry.summary
    for words in ("Not measured here with its real weights", "no words", "Not for clinical use"):
        assert words in entry.limits
    card = (entry.folder / "CARD.md").read_text("utf-8")
    told = [entry.title, entry.summary, entry.limits, entry.licence.url, entry.citation]
    assert [text for text in told if text not in card] == []
    files = (variant.denoiser_file, variant.autoencoder_file)
    assert [file for file in files if file.path not in card or file.source not in card] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_settings_are_those_that_the_method_reads(name):
    settings = entry_of(name).settings
    assert set(settings) == {"backbone", "grid", "intensities", "inpainting"}
    assert WorkingGrid.from_dict(3, settings["grid"]).spacing_mm is not None
    rule = IntensityRule.from_dict(settings["intensities"])
    assert (rule.hounsfield, rule.percentiles) == ((-1000, 1000), (0, 99.5))
    found = RunSettings.of(RunOptions(), settings).inpainting
    assert found.steps == VARIANTS[name].steps and 1 <= found.seeds <= 2


@pytest.mark.parametrize("name", NAMES)
def test_what_is_fetched_is_its_source(name, monkeypatch, tmp_path):
    """The hub's own library in its offline mode, with an empty cache, says what it was asked."""
    told = pytest.importorskip("huggingface_hub.constants", reason="comes with diffusers")
    monkeypatch.setattr(told, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path / "models"))
    entry = entry_of(name)
    source = VARIANTS[name].denoiser_file.source
    with pytest.raises(ModelError, match=f"'{source}' could not be fetched"):
        open_generative(entry.settings["backbone"], "cpu", folder=entry.folder)


def test_one_changed_setting_opens_weights_of_one_s_own(tmp_path):
    """As CARD.md tells it: a copied card, beside it the folder of weights."""
    place = tmp_path / "diffugts" / "mine"
    save_maisi(place / "weights", "rflow-mr-brain")
    values = json.loads((FOLDER / "maisi-rflow-mr-brain" / "model.json").read_text("utf-8"))
    values["name"] = "mine"
    values["settings"]["backbone"] |= {"source": "weights", "config": config_of("rflow-mr-brain")}
    (place / "model.json").write_text(json.dumps(values))
    entry = read_manifest(place / "model.json")
    assert hub_parts(entry) == ()  # nothing is fetched, so no licence is asked for
    check_ready(entry)
    predictor = DiffuGtsPredictor.load(entry, "cpu")
    assert predictor.networks is None
    assert predictor.backbone.name == "maisi/rflow-mr-brain"


def test_the_default_is_one_that_needs_nothing_fetched():
    store = ModelStore([ROOT / "Resources" / "Models"])
    names = [entry.name for entry in store.list("diffugts")]
    assert [f"maisi-{name}" for name in NAMES] == [one for one in names if one.startswith("maisi")]
    assert store.find("diffugts").name == "compact"
    assert hub_parts(store.find("diffugts")) == ()
