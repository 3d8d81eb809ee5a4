import pytest
import torch
from torch import nn

from DiffusionSegLib.diffusion.attention.capture import capture_attention
from DiffusionSegLib.diffusion.attention.layers import find_attention_layers
from DiffusionSegLib.errors import Cancelled, ModelError
from DiffusionSegLib.progress import Progress
from Testing.Library.diffusion.attention.networks import CONTEXT, monai_unet, run_unet, unet
from Testing.Library.diffusion.attention.slow_capture import slow_maps
from Testing.Library.reference.awake import normal

LATENT = normal(1, 4, 16, 16)


def hooks(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def compare(network, run, latent, heads_of):
    """Every captured map against the mean of the slow ones."""
    layers = find_attention_layers(network)
    maps = capture_attention(layers, run, latent)
    names = [layer.name for layer in layers]
    heads = {layer.name: heads_of(layer.module) for layer in layers}
    slow = slow_maps(network, names, heads, run)
    assert sorted(name for one in maps for name in one.layers) == sorted(names)
    for one in maps:
        wanted = torch.stack([slow[name] for name in one.layers]).mean(0)
        assert (one.weights - wanted).abs().max() < 1e-5
        assert wanted.std() > 0.1 / wanted.shape[1], "the maps are too even to prove anything"
        assert one.is_finite
    return maps


def test_it_agrees_with_a_slow_capture_on_a_diffusers_network():
    network = unet()
    maps = compare(
        network, lambda: run_unet(network, LATENT), (16, 16), lambda module: module.heads
    )
    told = [(one.kind, one.grid, len(one.layers)) for one in maps]
    sizes = [((16, 16), 3), ((8, 8), 3), ((4, 4), 1)]
    assert told == [(kind, *size) for kind in ("self", "cross") for size in sizes]
    assert maps[-1].weights.shape == (16, CONTEXT.shape[1])


def test_it_agrees_on_a_monai_network():
    network = monai_unet()
    latent = normal(1, 3, 16, 16)
    switches = [getattr(m, "use_flash_attention", None) for m in network.modules()]

    def run():
        return network(latent, torch.tensor([300]), CONTEXT)

    before = run()
    maps = compare(network, run, (16, 16), lambda module: module.num_heads)
    assert [one.grid for one in maps if one.kind == "self"] == [(8, 8), (4, 4)]
    assert [getattr(m, "use_flash_attention", None) for m in network.modules()] == switches
    assert torch.equal(run(), before) and hooks(network) == 0


def test_images_that_are_not_square_and_of_odd_size():
    network = unet()
    latent = normal(1, 4, 12, 22)
    maps = compare(network, lambda: run_unet(network, latent), (12, 22), lambda m: m.heads)
    assert [one.grid for one in maps if one.kind == "self"] == [(12, 22), (6, 11), (3, 6)]


def test_nothing_is_computed_after_the_last_wanted_layer():
    network = unet()
    ran = []
    for name in ("up_blocks.0", "mid_block", "conv_out"):
        network.get_submodule(name).register_forward_pre_hook(
            lambda module, given, name=name: ran.append(name)
        )
    layers = find_attention_layers(network)
    (middle,) = [one for one in layers if one.name.startswith("mid") and one.kind == "self"]
    (found,) = capture_attention([middle], lambda: run_unet(network, LATENT), (16, 16))
    assert ran == ["mid_block"] and found.layers == (middle.name,)
    # The other layers ran as always, so the map is the same as when all are captured.
    everything = capture_attention(layers, lambda: run_unet(network, LATENT), (16, 16))
    same = next(one for one in everything if one.layers == found.layers)
    assert torch.allclose(same.weights, found.weights, atol=1e-6)
    assert ran.count("up_blocks.0") == 1 and "conv_out" not in ran


def test_groups_are_kept_apart():
    network = unet()
    layers = [one for one in find_attention_layers(network) if one.kind == "self"]
    groups = {one.name: one.name.split("_")[0] for one in layers}
    maps = capture_attention(layers, lambda: run_unet(network, LATENT), (16, 16), groups=groups)
    told = [(one.group, one.grid[0], len(one.layers)) for one in maps]
    assert told == [("down", 16, 1), ("up", 16, 2), ("down", 8, 1), ("up", 8, 2), ("mid", 4, 1)]


def test_maps_can_be_worked_on():
    """They are ordinary tensors, which later steps change in place."""
    network = unet()
    layers = find_attention_layers(network)[:1]
    with torch.inference_mode(False):
        (one,) = capture_attention(layers, lambda: run_unet(network, LATENT), (16, 16))
        one.weights.add_(1)
    assert one.weights.min() >= 1


def test_a_network_without_attention_is_refused():
    with pytest.raises(ModelError, match="no attention layers"):
        capture_attention(find_attention_layers(nn.Conv2d(1, 1, 1)), lambda: None, (8, 8))


def test_another_attention_implementation_is_refused_by_name():
    from diffusers.models.attention_processor import AttnProcessor

    network = unet()
    network.set_attn_processor(AttnProcessor())
    with pytest.raises(ModelError, match=r"down_blocks.*\.attn1 did not compute"):
        capture_attention(
            find_attention_layers(network), lambda: run_unet(network, LATENT), (16, 16)
        )
    assert hooks(network) == 0


def test_two_images_at_once_are_refused_and_nothing_stays_behind():
    network = unet()
    both = LATENT.expand(2, -1, -1, -1)

    def run():
        network(both, torch.tensor([300]), encoder_hidden_states=CONTEXT.expand(2, -1, -1))

    with pytest.raises(ModelError, match="one image at a time"):
        capture_attention(find_attention_layers(network), run, (16, 16))
    assert hooks(network) == 0
    run()  # as if nothing had been


def test_masked_attention_is_refused():
    network = unet()

    def run():
        mask = torch.ones(1, CONTEXT.shape[1], dtype=torch.bool)
        network(LATENT, 300, encoder_hidden_states=CONTEXT, encoder_attention_mask=mask)

    with pytest.raises(ModelError, match="masks its attention"):
        capture_attention(find_attention_layers(network), run, (16, 16))


def test_it_reports_every_layer_and_can_be_cancelled():
    network = unet()
    layers = find_attention_layers(network)
    told = []
    progress = Progress(lambda report: told.append(report.fraction))
    capture_attention(layers, lambda: run_unet(network, LATENT), (16, 16), progress)
    assert told == pytest.approx([(n + 1) / len(layers) for n in range(len(layers))])
    with pytest.raises(Cancelled):
        capture_attention(
            layers,
            lambda: run_unet(network, LATENT),
            (16, 16),
            Progress(cancelled=lambda: True),
        )
    assert hooks(network) == 0


def keys_of(layers):
    """What each layer's projection to keys gives, (places, heads · depth), once a pass has run."""
    kept: dict[str, torch.Tensor] = {}

    def keeper(name):
        def keep(_module, _given, out):
            kept[name] = out[0]

        return keep

    for layer in layers:
        layer.module.to_k.register_forward_hook(keeper(layer.name))
    return kept


@pytest.mark.parametrize("grouped", [False, True])
def test_keys_are_what_the_last_layer_of_a_grid_looks_places_up_by(grouped):
    network = unet()
    layers = find_attention_layers(network)
    kept = keys_of(layers)
    groups = {one.name: one.name.split("_")[0] for one in layers} if grouped else None
    maps = capture_attention(layers, lambda: run_unet(network, LATENT), (16, 16), groups=groups)
    for one in maps:
        if one.kind == "cross":
            assert one.keys is None
            continue
        assert one.keys.dtype == torch.float32
        assert torch.equal(one.keys, kept[one.layers[-1]])
        for name in one.layers[:-1]:
            assert not torch.allclose(one.keys, kept[name], atol=1e-2)


def test_keys_of_a_monai_network_tell_heads_side_by_side():
    network = monai_unet()
    latent = normal(1, 3, 16, 16)
    layers = [one for one in find_attention_layers(network) if one.kind == "self"]
    kept = keys_of(layers)
    maps = capture_attention(
        layers, lambda: network(latent, torch.tensor([300]), CONTEXT), (16, 16)
    )
    assert [one.grid for one in maps] == [(8, 8), (4, 4)]
    for one in maps:
        assert torch.allclose(one.keys, kept[one.layers[-1]], atol=1e-6)
