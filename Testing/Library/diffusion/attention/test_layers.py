import pytest
from torch import nn

from DiffusionSegLib.diffusion.attention.layers import find_attention_layers
from Testing.Library.diffusion.attention.networks import monai_unet, unet


def kinds(network: nn.Module) -> dict[str, str]:
    return {layer.name: layer.kind for layer in find_attention_layers(network)}


@pytest.mark.parametrize("width", [16, 24])
def test_layers_of_a_diffusers_network(width):
    """Also where texts are as wide as images (16), so that widths tell nothing."""
    found = kinds(unet(cross_attention_dim=width))
    assert len(found) == 14
    for name, kind in found.items():
        assert kind == {"attn1": "self", "attn2": "cross"}[name.rpartition(".")[2]]


@pytest.mark.parametrize("combined", [False, True])
def test_layers_of_a_monai_network(combined):
    found = kinds(monai_unet(combined))
    assert len(found) == 14
    for name, kind in found.items():
        assert kind == {"attn1": "self", "attn2": "cross"}[name.rpartition(".")[2]]


def test_names_do_not_matter():
    class Looking(nn.Module):
        def __init__(self):
            super().__init__()
            self.to_q, self.to_k, self.to_v = (nn.Linear(4, 4) for _ in range(3))

    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.to_q = nn.Linear(4, 4)

    network = nn.ModuleDict({"anything": nn.Sequential(Other(), Looking())})
    assert kinds(network) == {"anything.1": "self"}
    assert kinds(nn.Conv2d(1, 1, 1)) == {}
