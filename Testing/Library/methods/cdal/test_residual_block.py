import math

import pytest
import torch

from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.fir import fir_down, fir_up
from DiffusionSegLib.methods.cdal.residual_block import ResidualBlock
from Testing.Library.reference.awake import awake, normal

CONFIG = GeneratorConfig(width=8, latent_size=4, latent_width=6)
TIME, LATENT = normal(2, 32, seed=7), normal(2, 6, seed=8)


@pytest.mark.parametrize(("resample", "side"), [("", 8), ("down", 4), ("up", 16)])
@pytest.mark.parametrize("channels", [8, 12])
def test_it_starts_as_the_skip_branch_over_root_two(resample, side, channels):
    block = ResidualBlock(CONFIG, 8, channels, resample)
    x = normal(2, 8, 8, 8)
    plain = {"": x, "down": fir_down(x), "up": fir_up(x)}[resample]
    if resample or channels != 8:  # the 1 x 1 convolution comes after the resampling
        plain = block.skip(plain)
    else:
        assert block.skip is None
    out = block(x, TIME, LATENT)
    assert out.shape == (2, channels, side, side)
    assert torch.allclose(out, plain / math.sqrt(2), atol=1e-6)


def test_time_and_latent_change_the_result():
    block = awake(ResidualBlock(CONFIG, 8, 8))
    x = normal(2, 8, 8, 8)
    out = block(x, TIME, LATENT)
    assert float((block(x, TIME + 1, LATENT) - out).abs().max()) > 0.05
    assert float((block(x, TIME, LATENT + 1) - out).abs().max()) > 0.05


def test_every_sample_has_its_own_time_and_latent():
    block = awake(ResidualBlock(CONFIG, 8, 8, "down"))
    x = normal(2, 8, 8, 8)
    alone = [block(x[n : n + 1], TIME[n : n + 1], LATENT[n : n + 1]) for n in range(2)]
    assert torch.allclose(block(x, TIME, LATENT), torch.cat(alone), atol=1e-6)


def test_dropout_works_in_training_only():
    block = awake(ResidualBlock(GeneratorConfig(width=8, latent_width=6, dropout=0.5), 8, 8))
    x = normal(2, 8, 8, 8)
    assert torch.equal(block(x, TIME, LATENT), block(x, TIME, LATENT))
    block.train()
    assert not torch.equal(block(x, TIME, LATENT), block(x, TIME, LATENT))
