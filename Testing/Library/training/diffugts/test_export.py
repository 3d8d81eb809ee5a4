import json

import pytest
import torch

from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.methods.diffugts.networks import load_networks
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.diffugts.export import export_model
from DiffusionSegLib.training.diffugts.stages import networks_config, train_diffugts
from Testing.Library.backbones.compact.tiny import WIDTH
from Testing.Library.training.diffugts.tiny import tiny_settings


@pytest.fixture(scope="module")
def trained(backbone, pack, prepared, tmp_path_factory):
    folder, config = tmp_path_factory.mktemp("run"), networks_config(backbone, WIDTH)
    told = Progress.silent()
    return train_diffugts(pack, prepared, config, tiny_settings(), folder, "cpu", told)


@pytest.fixture(scope="module")
def root(trained, pack, tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for left in ("", "bright"):
        name = f"without-{left}" if left else "compact"
        settings = tiny_settings(leave_out=left)
        told = export_model(trained, settings, pack, "cpu", root / "diffugts" / name)
        assert "The model is in" in told
    return root


def test_the_folder_is_a_model_of_the_store(root, pack):
    store = ModelStore([root])
    entry = store.find("diffugts", "compact")
    store.verify(entry)
    assert entry.default and entry.splits == pack.split
    assert entry.licence.name == "CC BY-SA 4.0"
    assert [(label.value, label.name) for label in entry.labels] == [(1, "Tumor")]


def test_it_opens_with_the_weights_of_the_run(root, trained):
    opened = load_networks(read_manifest(root / "diffugts/compact/model.json"), "cpu")
    assert opened.config == trained.networks.config
    for name, value in opened.state_dict().items():
        assert torch.equal(value, trained.networks.state_dict()[name].half().float()), name


def test_the_card_is_what_the_method_reads(root, trained):
    entry = read_manifest(root / "diffugts/compact/model.json")
    from DiffusionSegLib.methods.contract import RunOptions
    from DiffusionSegLib.methods.diffugts.intensities import IntensityRule
    from DiffusionSegLib.methods.diffugts.run_settings import RunSettings
    from DiffusionSegLib.methods.diffugts.verdicts import PresenceLimits
    from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid

    settings = RunSettings.of(RunOptions(), entry.settings)
    assert settings.coarse.threshold == trained.threshold
    assert settings.coarse.canvas == 48
    assert settings.grow_pixels == pytest.approx(0.03 * 64, abs=0.01)
    assert WorkingGrid.from_dict(2, entry.settings["grid"]).side == 64
    assert IntensityRule.from_dict(entry.settings["intensities"]).hounsfield == (-160, 240)
    limits = PresenceLimits.from_dict(entry.settings["presence"])
    assert (limits.absent, limits.found) == (
        trained.presence["absent"],
        trained.presence["found"],
    )


def test_the_card_says_what_was_measured_and_how(root):
    entry = json.loads((root / "diffugts/compact/model.json").read_text("utf-8"))
    card = (root / "diffugts/compact/CARD.md").read_text("utf-8")
    assert "Not for clinical use" in card and entry["limits"] in card
    for row in entry["metrics"]:
        if "median_dice" in row:
            assert f"| {row['split']} | {row['source']} | {row['pictures']} | {row['dice']}" in card
    for row in entry["data"]:
        assert row[1] in card and row[2] in card
    assert entry["training"]["command"] in card
    assert "--set maps_steps=4" in card and "leave-out" not in card
    assert "call" in card and str(entry["settings"]["presence"]["absent"]) in card


def test_what_was_left_out_is_said(root):
    entry = json.loads((root / "diffugts/without-bright/model.json").read_text("utf-8"))
    card = (root / "diffugts/without-bright/CARD.md").read_text("utf-8")
    assert not entry["default"]
    assert "--leave-out bright" in entry["training"]["command"]
    assert "Tumors of type bright were left out" in card
    assert "background of synthetic lesions" in card
