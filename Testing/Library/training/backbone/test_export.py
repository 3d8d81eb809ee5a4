import json

import pytest
import torch
from PIL import Image

from DiffusionSegLib.backbones.compact.model import open_compact
from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import Cancelled, InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.export import export_model
from DiffusionSegLib.training.backbone.stages import train_backbone
from DiffusionSegLib.training.checkpoint import load_checkpoint
from Testing.Library.backbones.compact.tiny import tiny_config
from Testing.Library.training.backbone.tiny import tiny_pack, tiny_settings


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train_backbone(tiny_pack(), tiny_settings(), folder, "cpu", Progress.silent(), tiny_config())
    return folder


@pytest.fixture(scope="module")
def model(run):
    told = export_model(run, tiny_pack(), run / "backbone" / "compact", Progress.silent())
    assert "after 6 steps" in told
    return run / "backbone" / "compact"


def test_the_folder_is_a_model_of_the_store(run, model):
    store = ModelStore([run])
    entry = store.find("backbone")
    store.verify(entry)
    assert (entry.id, entry.folder) == ("backbone/compact", model)
    assert entry.splits == tiny_pack().split
    assert entry.licence.name == "CC BY-SA 4.0"


def test_the_averaged_weights_are_in_it(run, model):
    opened = open_compact(read_manifest(model / "model.json"))
    average = load_checkpoint(run / "denoiser" / "checkpoint.pt")["average"]
    for name, value in opened.network.state_dict().items():
        assert torch.equal(value, average[name].half().float()), name
    states = opened.embed_text("").states
    assert torch.equal(states, tiny_pack().text[:1].float())


def test_latents_have_a_deviation_of_about_one(model):
    opened = open_compact(read_manifest(model / "model.json"))
    assert opened.config.latent_scale != 2.0  # what the settings began with
    images = [torch.rand(1, 3, 32, 32) * 2 - 1, *_pictures()]
    deviation = torch.cat([opened.encode(image).flatten() for image in images]).std()
    assert 0.2 < float(deviation) < 5


def _pictures():
    from DiffusionSegLib.training.backbone.measure import whole_image

    return [whole_image(p.pixels, 16) for p in tiny_pack().pictures]


def test_the_card_says_what_was_measured(model):
    entry = json.loads((model / "model.json").read_text("utf-8"))
    card = (model / "CARD.md").read_text("utf-8")
    assert "Not for clinical use" in card
    assert {m["source"] for m in entry["metrics"] if "source" in m} == {"disks", "stripes"}
    errors = entry["metrics"][0]["velocity_error_by_timestep"]
    assert all(value > 0 and str(value) in card for value in errors.values())
    for row in entry["data"]:
        assert row[1] in card and row[2] in card
    assert entry["training"]["command"] in card
    assert "--set steps=6" in card


def test_its_pictures_can_be_seen(model):
    for name in ("reconstructions", "attention", "samples"):
        assert f"({name}.png)" in (model / "CARD.md").read_text("utf-8")
        with Image.open(model / f"{name}.png") as picture:
            assert picture.size[0] == 2 * 72  # one column a source
            assert len(set(picture.convert("L").tobytes())) > 5


def test_a_run_without_both_stages_cannot_be_exported(tmp_path):
    with pytest.raises(InputError, match="train further"):
        export_model(tmp_path, tiny_pack(), tmp_path / "model", Progress.silent())


def test_a_run_that_was_not_measured_yet_can_be_looked_at(tmp_path):
    settings = tiny_settings(validate_every=100, steps=100)
    stop = Progress(cancelled=iter([False] * 7 + [True] * 9).__next__)
    with pytest.raises(Cancelled):
        train_backbone(tiny_pack(), settings, tmp_path, "cpu", stop, tiny_config())
    told = export_model(tmp_path, tiny_pack(), tmp_path / "model", Progress.silent())
    assert "not measured yet" in told
    assert open_compact(read_manifest(tmp_path / "model" / "model.json")).timesteps == 1000
