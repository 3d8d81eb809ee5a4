import itertools

import pytest
import torch

from DiffusionSegLib.methods.cdal.config import RELEASED_GENERATORS, GeneratorConfig
from DiffusionSegLib.methods.cdal.generator import Generator
from Testing.Library.reference.awake import awake, normal

PARAMETERS = {
    "lung": 8_843_777,
    "monuseg": 41_666_753,
    "hippocampus": 3_682_275,
    "hippocampus-1": 2_691_971,
}
TINY = GeneratorConfig(
    width=8,
    channel_multipliers=(1, 2, 2),
    condition_blocks=1,
    latent_size=5,
    latent_width=8,
    mask_channels=3,
    image_channels=2,
)
TIMES = torch.tensor([0, 1, 3])


def inputs(batch=3, side=16, dims=2):
    spatial = (side,) * dims
    return normal(batch, 3, *spatial), normal(batch, 2, *spatial, seed=1), normal(batch, 5, seed=2)


@pytest.mark.parametrize("name", PARAMETERS)
def test_sizes_are_the_released_ones(name):
    with torch.device("meta"):
        network = Generator(RELEASED_GENERATORS[name])
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[name]


def test_it_starts_by_saying_nothing():
    mask, image, z = inputs()
    assert not bool(Generator(TINY)(mask, TIMES, image, z).any())


def test_everything_it_is_given_matters():
    network = awake(Generator(TINY))
    mask, image, z = inputs()
    out = network(mask, TIMES, image, z)
    assert out.shape == mask.shape
    assert float(out.abs().max()) <= 1
    for changed in (
        network(mask + 1, TIMES, image, z),
        network(mask, TIMES + 1, image, z),
        network(mask, TIMES, image + 1, z),
        network(mask, TIMES, image, -z),
    ):
        assert float((changed - out).abs().max()) > 1e-3


def test_one_encoded_image_serves_many_samples():
    network = awake(Generator(TINY))
    mask, image, z = inputs()
    encoded = network.encode_condition(image[:1])
    shared = network.denoise(mask, TIMES, encoded, z)
    copies = network(mask, TIMES, image[:1].expand(3, -1, -1, -1), z)
    assert torch.allclose(shared, copies, atol=1e-6)


def test_samples_of_a_batch_do_not_mix():
    network = awake(Generator(TINY))
    mask, image, z = inputs()
    together = network(mask, TIMES, image, z)
    for n in range(3):
        one = slice(n, n + 1)
        alone = network(mask[one], TIMES[one], image[one], z[one])
        assert torch.allclose(together[one], alone, atol=1e-5)


def test_a_volume_has_no_preferred_axis():
    """Turning the input and all kernels turns the output: no axis is treated differently."""
    config = GeneratorConfig(**{**TINY.to_dict(), "dims": 3})
    mask, image, z = inputs(batch=1, side=8, dims=3)
    network = awake(Generator(config))
    out = network(mask, TIMES[:1], image, z)
    for order in itertools.permutations(range(3)):
        turned = awake(Generator(config))
        for parameter in turned.parameters():
            if parameter.ndim == 5:
                parameter.data = turn(parameter.data, order)
        found = turned(turn(mask, order), TIMES[:1], turn(image, order), z)
        assert torch.allclose(found, turn(out, order), atol=1e-5)


def test_sides_need_not_be_equal():
    network = awake(Generator(TINY))
    out = network(normal(1, 3, 8, 20), TIMES[:1], normal(1, 2, 8, 20), normal(1, 5))
    assert out.shape == (1, 3, 8, 20)


def turn(x: torch.Tensor, order: tuple[int, ...]) -> torch.Tensor:
    return x.permute(0, 1, *(2 + axis for axis in order)).contiguous()
