"""The benchmark of capturing: its networks are the real ones, and its measurements add up."""

import pytest
import torch

from DiffusionSegLib.diffusion.attention.capture import capture_attention
from DiffusionSegLib.diffusion.attention.layers import find_attention_layers
from Testing.Benchmarks import attention_overhead as benchmark
from Testing.Library.diffusion.attention.networks import CONTEXT


@pytest.mark.parametrize(("name", "parameters"), [("sd15", 859_520_964), ("sd21", 865_910_724)])
def test_the_networks_have_the_published_size(name, parameters):
    """Built without memory for weights. 16 self-attention layers are found in each."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        network = UNet2DConditionModel(**benchmark.NETWORKS[name])
    assert sum(one.numel() for one in network.parameters()) == parameters
    kinds = [layer.kind for layer in find_attention_layers(network)]
    assert kinds.count("self") == kinds.count("cross") == 16


def test_the_difference_is_to_an_independent_capture():
    network = benchmark.build("tiny", "cpu")
    latent = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))

    def bare():
        return network(latent, 300, encoder_hidden_states=CONTEXT)

    layers = [one for one in find_attention_layers(network) if one.kind == "self"]
    maps = capture_attention(layers, bare, (16, 16))
    assert benchmark._difference(network, bare, maps) < benchmark.MOST_DIFFERENCE
    maps[0].weights[3, 5] += 0.01
    assert benchmark._difference(network, bare, maps) == pytest.approx(0.01 * 256, rel=1e-3)


def test_targets():
    row = {"time": "+9.9%", "memory": "+19.9%", "difference": "9.0e-05"}
    assert benchmark._reached(row, "cpu")
    for worse in ({"time": "+10.1%"}, {"memory": "+20.1%"}, {"difference": "2.0e-04"}):
        assert not benchmark._reached({**row, **worse}, "cpu")


def test_an_unknown_network_is_one_sentence(capsys):
    assert benchmark.main(["sd3"]) == 2
    assert "sd15, sd21" in capsys.readouterr().err
