import torch
from torch.nn import functional as F

from DiffusionSegLib.methods.cdal.latent_mapping import LatentMapping
from Testing.Library.reference.awake import awake, normal


def test_four_layers_follow_the_pixel_norm():
    network = awake(LatentMapping(10, 16))
    z = normal(3, 10)
    wanted = z / torch.sqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
    for layer in network.layers:
        wanted = F.silu(wanted @ layer.weight.T + layer.bias)
    assert len(network.layers) == 4
    assert torch.allclose(network(z), wanted, atol=1e-6)


def test_only_the_direction_of_the_latent_counts():
    network = awake(LatentMapping(10, 16))
    z = normal(3, 10)
    assert torch.allclose(network(z), network(17 * z), atol=1e-5)
    assert not torch.allclose(network(z), network(-z), atol=1e-2)
