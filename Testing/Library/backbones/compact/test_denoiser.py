import pytest
import torch

from DiffusionSegLib.backbones.compact.autoencoder import Autoencoder
from DiffusionSegLib.backbones.compact.config import CompactConfig
from DiffusionSegLib.backbones.compact.denoiser import Denoiser
from DiffusionSegLib.diffusion.attention.capture import capture_attention
from DiffusionSegLib.diffusion.attention.layers import find_attention_layers
from Testing.Library.backbones.compact.tiny import TOKENS, WIDTH, tiny_networks
from Testing.Library.diffusion.attention.slow_capture import slow_maps
from Testing.Library.reference.awake import normal

TEXT = normal(1, TOKENS, WIDTH, seed=3)


def test_both_shipped_networks_keep_to_their_budget():
    config = CompactConfig()
    networks = (Autoencoder(config.autoencoder), Denoiser(config.denoiser))
    count = sum(p.numel() for network in networks for p in network.parameters())
    assert count <= 10_000_000
    assert 2 * count <= 20_000_000  # bytes in half precision


def test_attention_is_where_it_is_wanted():
    """For 256 x 256 pixels: places of 32 x 32, of 16 x 16 and of 8 x 8."""
    network = Denoiser(CompactConfig().denoiser).eval()
    layers = find_attention_layers(network)
    kinds = [layer.kind for layer in layers]
    assert kinds.count("self") == kinds.count("cross") == 8
    latent, text = normal(1, 4, 64, 64), normal(1, 32, 384)
    maps = capture_attention(layers, lambda: network(latent, torch.tensor([9]), text), (64, 64))
    grids = [one.grid for one in maps if one.kind == "self"]
    assert grids == [(32, 32), (16, 16), (8, 8)]


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (12, 20)])
def test_captured_maps_agree_with_slow_ones(rows, columns):
    _, network = tiny_networks()
    latent = normal(1, 4, rows, columns)

    def run():
        return network(latent, torch.tensor([300]), TEXT)

    layers = find_attention_layers(network)
    heads = {layer.name: layer.module.heads for layer in layers}
    slow = slow_maps(network, [layer.name for layer in layers], heads, run)
    maps = capture_attention(layers, run, (rows, columns))
    assert sorted(name for one in maps for name in one.layers) == sorted(heads)
    for one in maps:
        wanted = torch.stack([slow[name] for name in one.layers]).mean(0)
        assert (one.weights - wanted).abs().max() < 1e-4
        assert wanted.std() > 0.01 / wanted.shape[1], "the maps are too even to prove anything"


def test_time_and_words_matter_and_samples_of_a_batch_do_not_mix():
    _, network = tiny_networks()
    latent = normal(2, 4, 8, 8)
    text = torch.cat([TEXT, normal(1, TOKENS, WIDTH, seed=4)])
    with torch.no_grad():
        both = network(latent, torch.tensor([10, 900]), text)
        alone = network(latent[1:], torch.tensor([900]), text[1:])
        other_time = network(latent[1:], torch.tensor([10]), text[1:])
        other_text = network(latent[1:], torch.tensor([900]), text[:1])
    assert both.shape == latent.shape
    assert torch.allclose(both[1:], alone, atol=1e-5)
    assert (alone - other_time).abs().max() > 1e-3
    assert (alone - other_text).abs().max() > 1e-3


def test_a_new_network_predicts_nothing_yet():
    network = Denoiser(tiny_networks()[1].config)
    with torch.no_grad():
        assert float(network(normal(1, 4, 8, 8), torch.tensor([5]), TEXT).abs().max()) < 1.0
