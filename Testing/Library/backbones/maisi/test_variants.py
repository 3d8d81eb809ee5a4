import pytest
import torch

from DiffusionSegLib.backbones.maisi.networks import build_autoencoder, build_denoiser
from DiffusionSegLib.backbones.maisi.variants import VARIANTS, find_variant
from DiffusionSegLib.diffusion.noise_process import DiscreteProcess, RectifiedFlow
from DiffusionSegLib.errors import ModelError, UnknownNameError

pytest.importorskip("monai", reason="MONAI is part of the hub extra")

# Counted in the published checkpoints.
DENOISERS = {
    "ddpm-ct": (169_370_884, 372),
    "rflow-ct": (180_500_868, 435),
    "rflow-mr": (180_500_868, 435),
    "rflow-mr-brain": (180_500_868, 435),
}


def counts(network):
    return sum(one.numel() for one in network.parameters()), len(network.state_dict())


@pytest.mark.parametrize("name", VARIANTS)
def test_published_networks_have_their_published_size(name):
    """Built without memory for weights, so that it costs nothing."""
    variant = find_variant(name)
    denoiser = build_denoiser(variant.denoiser, variant.autoencoder.latent_channels)
    autoencoder = build_autoencoder(variant.autoencoder)
    assert counts(denoiser) == DENOISERS[name]
    assert counts(autoencoder) == (20_944_897, 130)
    assert {one.device.type for one in denoiser.parameters()} == {"meta"}


def test_normalization_is_in_half_precision_exactly_when_the_rest_is():
    config = find_variant("rflow-ct").autoencoder
    for dtype, expected in ((torch.float32, False), (torch.float16, True)):
        found = {
            one.norm_float16
            for one in build_autoencoder(config, dtype).modules()
            if hasattr(one, "norm_float16")
        }
        assert found == {expected}


def test_only_rflow_mr_is_not_for_commerce():
    assert {name for name, one in VARIANTS.items() if not one.licence.commercial} == {"rflow-mr"}
    assert all(one.licence.url.startswith("https://") for one in VARIANTS.values())


def test_noise_is_as_published():
    diffusion = find_variant("ddpm-ct").process()
    assert isinstance(diffusion, DiscreteProcess) and diffusion.prediction == "epsilon"
    assert diffusion.timesteps == 1000 and diffusion.noise(0.001) ** 2 == pytest.approx(0.0015)
    flow = find_variant("rflow-mr").process()
    assert isinstance(flow, RectifiedFlow) and flow.time(0.5) == 500


def test_an_unknown_variant_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'rflow-ct'"):
        find_variant("rflow_ct")
    with pytest.raises(UnknownNameError, match="ddpm-ct"):
        find_variant(None)


def test_networks_can_be_smaller():
    small = find_variant("ddpm-ct").changed({"denoiser": {"channels": [8, 8, 16, 16], "groups": 4}})
    assert small.denoiser.channels == (8, 8, 16, 16) and small.denoiser.regions
    assert small.autoencoder == find_variant("ddpm-ct").autoencoder


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"unet": {}}, "not 'unet'"),
        ({"denoiser": {"width": 3}}, "names out of channels"),
        ({"denoiser": [1]}, "found was"),
        ({"denoiser": {"groups": "4"}}, "groups of a MAISI network cannot be '4'"),
        ({"denoiser": {"res_blocks": -1}}, "cannot be -1"),
        ({"denoiser": {"residual": 1}}, "residual"),
        ({"denoiser": {"channels": [8, 16]}}, "as many of each"),
        ({"autoencoder": {"channels": [8, 16]}}, "three levels"),
    ],
)
def test_a_config_that_is_none_is_refused(config, said):
    with pytest.raises(ModelError, match=said):
        find_variant("rflow-ct").changed(config)


def test_a_config_of_no_network_is_refused():
    odd = find_variant("rflow-ct").changed({"denoiser": {"channels": [9, 9, 16, 16]}})
    with pytest.raises(ModelError, match="no network that can be built"):
        build_denoiser(odd.denoiser, 4)
