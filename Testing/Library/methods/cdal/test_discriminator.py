import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.config import (
    LARGE_DISCRIMINATOR,
    SMALL_DISCRIMINATOR,
    DiscriminatorConfig,
)
from DiffusionSegLib.methods.cdal.discriminator import Discriminator, minibatch_deviation
from Testing.Library.reference import cdal_reference as reference
from Testing.Library.reference.awake import awake, normal

SIZES = {
    "large": (LARGE_DISCRIMINATOR, 27_736_705, 64),
    "small": (SMALL_DISCRIMINATOR, 12_462_849, 32),
}
NAMES = {"conv_in": "first", "time": "time", "conv_out": "second", "skip": "skip"}


def reference_of(network: Discriminator) -> reference.ReferenceDiscriminator:
    layers = {"time_in": "time.0", "time_out": "time.1", "start": "start"}
    layers |= {"final": "final", "end": "end"}
    for index in range(len(network.blocks)):
        for ours, theirs in NAMES.items():
            layers[f"blocks.{index}.{ours}"] = f"block.{index}.{theirs}"
    weights = {}
    for name, value in network.state_dict().items():
        layer, _, kind = name.rpartition(".")
        weights[f"{layers[layer]}.{kind}"] = value.double()
    return reference.ReferenceDiscriminator(
        weights, network.config.time_width, network.config.halves
    )


@pytest.mark.parametrize("size", SIZES)
def test_network_agrees_with_the_slow_reference(size):
    config, parameters, side = SIZES[size]
    network = awake(Discriminator(config), gain=1.6)
    assert sum(p.numel() for p in network.parameters()) == parameters
    shape = (4, config.mask_channels, side, side)
    mask, noisier, times = normal(*shape), normal(*shape, seed=1), torch.tensor([0, 1, 2, 3])
    with torch.no_grad():
        found = network(mask, times, noisier)
        features = network.features(mask, times, noisier)
    check = reference_of(network)
    wanted = check(mask.double(), times, noisier.double())
    assert float(wanted.std()) > 0.01
    assert float((found - wanted).abs().max()) <= 1e-5 * max(1, float(wanted.abs().max()))
    for ours, theirs in zip(
        features, check.features(mask.double(), times, noisier.double()), strict=True
    ):
        assert float((ours - theirs).abs().max()) <= 1e-5 * max(1, float(theirs.abs().max()))


def test_feature_sizes_are_those_of_the_released_networks():
    with torch.device("meta"):
        large, small = Discriminator(LARGE_DISCRIMINATOR), Discriminator(SMALL_DISCRIMINATOR)
        times = torch.zeros(1)
        wide = large.features(torch.zeros(1, 1, 256, 256), times, torch.zeros(1, 1, 256, 256))
        tall = small.features(torch.zeros(1, 3, 32, 32), times, torch.zeros(1, 3, 32, 32))
    assert [f.shape[2] for f in wide] == [256, 128, 64, 32, 16, 8, 4]
    assert [f.shape[1] for f in wide] == [128, 256, 512, 512, 512, 512, 512]
    assert [f.shape[2] for f in tall] == [32, 32, 16, 8, 4]
    assert [f.shape[1] for f in tall] == [128, 128, 256, 512, 512]


def test_features_up_to_a_level_are_the_first_of_all():
    network = awake(Discriminator(DiscriminatorConfig(channels=(4, 4, 8), halves=(True, True))))
    mask, noisier, times = normal(2, 1, 8, 8), normal(2, 1, 8, 8, seed=1), torch.tensor([0, 1])
    every = network.features(mask, times, noisier)
    for last in range(3):
        some = network.features(mask, times, noisier, last=last)
        assert len(some) == last + 1
        assert all(torch.equal(a, b) for a, b in zip(some, every, strict=False))


@given(st.integers(1, 3).map(lambda groups: 4 * groups) | st.integers(1, 3))
def test_deviation_is_the_written_out_one(batch):
    x = normal(batch, 5, 3, 4).double()
    found = minibatch_deviation(x)
    assert found.shape == (batch, 1, 3, 4)
    assert torch.allclose(found, reference.minibatch_deviation(x), atol=1e-12)


@pytest.mark.parametrize(("batch", "group"), [(5, 1), (6, 3), (7, 1), (9, 3), (10, 2)])
def test_batches_that_four_does_not_divide_are_taken_in_smaller_groups(batch, group):
    x = normal(batch, 2, 3, 3).double()
    found = minibatch_deviation(x)
    members = x[0 :: batch // group]
    wanted = torch.sqrt(members.var(dim=0, unbiased=False) + 1e-8).mean()
    assert len(members) == group
    assert float(found[0, 0, 0, 0]) == pytest.approx(float(wanted))


def test_volumes_are_judged_too():
    config = DiscriminatorConfig(dims=3, channels=(4, 4), halves=(True,), time_width=8)
    network = awake(Discriminator(config))
    shape = (2, 1, 4, 8, 6)
    assert network(normal(*shape), torch.tensor([0, 1]), normal(*shape, seed=1)).shape == (2,)
