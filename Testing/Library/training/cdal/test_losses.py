import math

import pytest
import torch

from DiffusionSegLib.methods.cdal.config import DiscriminatorConfig
from DiffusionSegLib.methods.cdal.discriminator import Discriminator
from DiffusionSegLib.training.cdal.losses import (
    fake_loss,
    gradient_penalty,
    overlap_loss,
    real_loss,
)
from Testing.Library.reference.awake import awake, normal


def test_logits_are_judged_by_softplus():
    logits = torch.tensor([2.0, -1.0])
    assert real_loss(logits).item() == pytest.approx((0.126928 + 1.313262) / 2, abs=1e-6)
    assert fake_loss(logits).item() == pytest.approx((2.126928 + 0.313262) / 2, abs=1e-6)
    undecided = torch.zeros(3)
    assert real_loss(undecided).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("channels", [1, 3])
def test_r1_is_the_squared_slope_by_finite_differences(channels):
    config = DiscriminatorConfig(
        mask_channels=channels, channels=(4, 4, 6), halves=(True, False), time_width=8
    )
    network = awake(Discriminator(config), gain=1.5).double()
    shape = (2, channels, 4, 4)
    mask, noisier = normal(*shape).double(), normal(*shape, seed=1).double()
    times, step = torch.tensor([0, 1]), 1e-5
    slope = torch.zeros(mask.numel(), dtype=torch.float64)
    with torch.no_grad():
        for index in range(mask.numel()):
            change = torch.zeros(mask.numel(), dtype=torch.float64)
            change[index] = step
            up = network(mask + change.reshape(shape), times, noisier).sum()
            down = network(mask - change.reshape(shape), times, noisier).sum()
            slope[index] = (up - down) / (2 * step)
    wanted = 3.0 / 2 * float(slope.square().sum()) / 2  # γ/2, and the mean over two samples
    logits, penalty = gradient_penalty(network, mask, times, noisier, gamma=3.0)
    assert wanted > 1e-4
    assert penalty.item() == pytest.approx(wanted, rel=1e-4)
    assert torch.equal(logits, network(mask, times, noisier))


def test_r1_can_be_trained_on():
    config = DiscriminatorConfig(channels=(4, 4), halves=(True,), time_width=8)
    network = awake(Discriminator(config))
    mask = normal(2, 1, 8, 8)
    gradient_penalty(network, mask, torch.tensor([0, 1]), mask, 1.0)[1].backward()
    assert float(network.start.weight.grad.abs().max()) > 0
    assert not mask.requires_grad


def test_overlap_by_hand():
    target = torch.tensor([[[1.0, 1.0, -1.0, -1.0]]])  # probabilities 1 1 0 0
    halves = torch.tensor([[[1.0, 0.0, 0.0, -1.0]]])  # probabilities 1 .5 .5 0
    wanted = 1 - (2 * 1.5 + 1) / (1.5 + 2 + 1)
    assert overlap_loss(halves, target, 1).item() == pytest.approx(wanted)
    assert overlap_loss(target, target, 1).item() == pytest.approx(0)
    empty = -torch.ones(1, 1, 4)
    assert overlap_loss(empty, empty, 1).item() == pytest.approx(0)
    assert overlap_loss(empty, target, 1).item() == pytest.approx(1 - 1 / 3)


def test_overlap_is_the_mean_over_labels_without_background():
    target = -torch.ones(1, 3, 4)
    target[0, 1, :2] = 1
    predicted = target.clone()
    predicted[0, 2, 0] = 1  # label 2 is wrong by one voxel; the background does not count
    predicted[0, 0] = 1
    assert overlap_loss(predicted, target, 2).item() == pytest.approx((0 + (1 - 1 / 2)) / 2)
