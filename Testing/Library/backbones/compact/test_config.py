import json

import pytest

from DiffusionSegLib.backbones.compact.config import CompactConfig
from DiffusionSegLib.backbones.latent_diffusion.noise import ForwardProcess
from DiffusionSegLib.errors import ModelError
from Testing.Library.backbones.compact.tiny import tiny_config


@pytest.mark.parametrize("config", [CompactConfig(), tiny_config()])
def test_it_comes_back_from_json(config):
    assert CompactConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [("latent_scale", "much"), ("denoiser", {"channel": [1]}), ("schedule", 3), ("denoiser", None)],
)
def test_settings_that_do_not_fit_are_one_sentence(name, value):
    values = CompactConfig().to_dict() | {name: value}
    with pytest.raises(ModelError, match="settings of the compact backbone"):
        CompactConfig.from_dict(values)


def test_missing_settings_are_named():
    values = CompactConfig().to_dict()
    del values["text_length"]
    with pytest.raises(ModelError, match="text_length"):
        CompactConfig.from_dict(values)


def test_timesteps_mean_the_noise_that_they_mean_in_stable_diffusion():
    ours, theirs = ForwardProcess(CompactConfig().schedule), ForwardProcess({})
    assert (ours.signal == theirs.signal).all()
