import pytest
import torch
from torch import nn

from DiffusionSegLib.training.ema import MovingAverage


def network(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, value)
    return layer


def test_the_average_follows_slowly_and_warms_up():
    current = network(0.0)
    average = MovingAverage(current, decay=0.5)
    expected = 0.0
    for update in range(1, 20):
        nn.init.constant_(current.weight, float(update))
        average.update(current)
        kept = min(0.5, (1 + update) / (10 + update))
        expected = kept * expected + (1 - kept) * update
        assert average.network.weight.item() == pytest.approx(expected, rel=1e-5)
    assert average.updates == 19


def test_a_constant_network_is_its_own_average():
    current = network(3.0)
    average = MovingAverage(current, decay=0.999)
    for _ in range(5):
        average.update(current)
    assert average.network.weight.item() == pytest.approx(3.0)


def test_the_average_is_a_copy_that_is_not_trained():
    current = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).train()
    average = MovingAverage(current, decay=0.9)
    assert not average.network.training
    assert current.training
    assert not any(p.requires_grad for p in average.network.parameters())
    current[0].weight.data.add_(1)
    assert not torch.equal(average.network[0].weight, current[0].weight)
