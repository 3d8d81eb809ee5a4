"""The shipped weights: whole, small enough, and better than none."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from DiffusionSegLib.backbones.compact.model import open_compact
from DiffusionSegLib.backbones.compact.words import open_minilm
from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.diffusion.attention.aggregate import aggregate_self_attention
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.training.backbone.autoencoder_stage import peak_ratio
from Testing.Library.reference.awake import normal
from Testing.Project.source import ROOT

SAMPLES = ROOT / "Resources" / "Samples"
PICTURES = (
    ("isic2017_98", "ISIC_0012221.jpg"),
    ("dsb2018_nuclei", "fluorescence_013.png"),
    ("dsb2018_nuclei", "stained_005.png"),
)


@pytest.fixture(scope="module")
def entry():
    return ModelStore([ROOT / "Resources" / "Models"]).find("backbone", "compact")


@pytest.fixture(scope="module")
def model(entry):
    return open_compact(entry)


def picture(folder, name, size=(192, 320)):
    """(1, 3, rows, columns) in [-1, 1], as the model was trained to see pictures."""
    array = Image.read(SAMPLES / folder / "images" / name).array[:, 0].astype(np.float32)
    image = F.interpolate(torch.from_numpy(array)[None], size, mode="bilinear", antialias=True)
    return image.expand(1, 3, -1, -1) / 127.5 - 1


def test_it_keeps_to_its_budget(entry, model):
    assert sum(file.size for file in entry.files) <= 20_000_000
    networks = (model.network, model._autoencoder)
    assert sum(p.numel() for network in networks for p in network.parameters()) <= 10_000_000


@pytest.mark.parametrize(("number", "least"), [(0, 26), (1, 30), (2, 21)])
def test_pictures_come_back(model, number, least):
    """In dB; a picture of one gray, the mean, has 10 to 20. Stained tissue is the hardest."""
    image = picture(*PICTURES[number])
    assert peak_ratio(model.decode(model.encode(image)), image) > least
    assert peak_ratio(image.mean().expand_as(image), image) < least - 3


def test_it_knows_pictures_from_noise(model):
    """At each timestep the velocity is much nearer to the truth than a guess of zero (error 1)."""
    latent = model.encode(picture(*PICTURES[0]))
    noise, text = normal(*latent.shape, seed=1), model.embed_text("")
    for timestep, most in ((200, 0.15), (500, 0.1), (800, 0.15)):
        noisy = model.add_noise(latent, timestep, noise)
        clean, found = model.split_velocity(noisy, model.denoise(noisy, timestep, text), timestep)
        signal = float(model._process.signal[timestep])
        error = signal * (found - noise) - (1 - signal**2) ** 0.5 * (clean - latent)
        assert float(error.square().mean()) < most


def test_a_lesion_looks_at_itself(model):
    """Of the attention from places inside, many times its share of the area stays inside."""
    folder, name = PICTURES[0]
    found = run_attention_pass(model, picture(folder, name, (256, 256)), AttentionRequest(100))
    maps = found.self_maps
    assert [one.grid for one in maps] == [(32, 32), (16, 16), (8, 8)]
    joined = aggregate_self_attention(maps, [float(one.grid[0]) for one in maps])
    label = Mask.read(SAMPLES / folder / "labels" / name.replace(".jpg", ".png")).array[0] > 0
    small = F.interpolate(torch.from_numpy(label)[None, None].float(), (32, 32), mode="area")
    inside = small.flatten() > 0.5
    share = float(inside.float().mean())
    stays = float(joined[inside][:, inside].sum(1).mean())
    assert 0.01 < share < 0.6
    assert stays > 4 * share


def test_the_empty_text_is_that_of_the_text_encoder(model):
    pytest.importorskip("transformers", reason="transformers is part of the test extra")
    states = open_minilm(model.config.text_length).embed("").states
    assert (states - model.embed_text("").states).abs().max() < 2e-3  # half precision


def test_words_are_read_by_the_text_encoder(model):
    pytest.importorskip("transformers", reason="transformers is part of the test extra")
    request = AttentionRequest(300, text="dermoscopy, pigmented lesion", cross=True)
    found = run_attention_pass(model, picture(*PICTURES[0]), request)
    assert len(found.text.tokens_of("lesion")) >= 1
    assert {one.weights.shape[1] for one in found.cross_maps} == {32}
    assert [one.grid for one in found.self_maps] == [(24, 40), (12, 20), (6, 10)]
