import json

import pytest

from DiffusionSegLib.methods.cdal.config import (
    LARGE_DISCRIMINATOR,
    RELEASED_GENERATORS,
    SMALL_DISCRIMINATOR,
    DiscriminatorConfig,
    GeneratorConfig,
)


@pytest.mark.parametrize("config", RELEASED_GENERATORS.values(), ids=list(RELEASED_GENERATORS))
def test_a_generator_survives_json(config):
    text = json.dumps(config.to_dict())
    assert GeneratorConfig.from_dict(json.loads(text)) == config


@pytest.mark.parametrize("config", [LARGE_DISCRIMINATOR, SMALL_DISCRIMINATOR])
def test_a_discriminator_survives_json(config):
    text = json.dumps(config.to_dict())
    assert DiscriminatorConfig.from_dict(json.loads(text)) == config


@pytest.mark.parametrize("kind", [GeneratorConfig, DiscriminatorConfig])
def test_unknown_settings_are_named(kind):
    with pytest.raises(ValueError, match="unknown network settings: depth, wdith"):
        kind.from_dict({"wdith": 32, "depth": 3, "dims": 2})


@pytest.mark.parametrize(
    "wrong",
    [{"dims": 4}, {"width": 30}, {"width": 0}, {"attention_levels": (4,)}],
    ids=str,
)
def test_networks_that_cannot_be_built_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GeneratorConfig(**wrong)


def test_each_block_of_the_discriminator_needs_to_know_whether_it_halves():
    with pytest.raises(ValueError, match="2 entries for 3 channels, got 1"):
        DiscriminatorConfig(channels=(8, 8, 8), halves=(True,))


def test_sides_and_time_follow_from_width_and_levels():
    config = GeneratorConfig(width=16, channel_multipliers=(1, 2, 2, 4))
    assert config.stride == 8
    assert config.time_width == 64
