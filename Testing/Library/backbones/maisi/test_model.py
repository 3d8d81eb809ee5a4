import pytest
import torch

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.diffusion.noise_process import RectifiedFlow
from DiffusionSegLib.errors import InputError, ModelError
from Testing.Library.backbones.maisi.tiny_maisi import SCALE, config_of, open_tiny, save_maisi
from Testing.Library.reference.awake import normal

pytest.importorskip("monai", reason="MONAI is part of the hub extra")

FACTS = ScanFacts(spacing_mm=(2.0, 0.8, 0.7))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    names = ("ddpm-ct", "rflow-ct", "rflow-mr")
    return {name: save_maisi(tmp_path_factory.mktemp(name) / "m", name) for name in names}


@pytest.fixture(scope="module")
def flow(folders):
    return open_tiny(folders["rflow-mr"], "rflow-mr", guidance=1)


def test_it_is_a_generative_backbone(folders):
    settings = {
        "kind": "maisi", "variant": "rflow-ct", "source": folders["rflow-ct"].name,
        "config": config_of("rflow-ct"),
    }  # fmt: skip
    model = open_generative(settings, "cpu", folder=folders["rflow-ct"].parent)
    assert (model.dims, model.factor, model.multiple, model.latent_channels) == (3, 4, 32, 4)
    assert model.name == "maisi/rflow-ct" and model.steps == 30
    assert "Open Model License (https://" in model.licence
    assert model.device.type == "cpu" and model.dtype == torch.float32
    assert len(model.weights_sha256) == 64
    found = model.encode(normal(2, 1, 32, 64, 32).abs())
    assert found.latent.shape == (2, 4, 8, 16, 8)
    for stage, channels, factor in zip(
        found.stages, model.stage_channels, model.stage_factors, strict=True
    ):
        assert stage.shape == (2, channels, 32 // factor, 64 // factor, 32 // factor)
    assert model.decode(found.latent).shape == (2, 1, 32, 64, 32)


def test_the_network_gets_x_to_the_right_y_to_the_front_z_up(flow):
    """The project's arrays stand z, y, x with x to the left and y to the back."""
    image = normal(1, 1, 32, 64, 96).abs().clamp(0, 1)
    turned = image[0, 0].flip(1, 2).permute(2, 1, 0)[None, None]
    mean = flow.autoencoder.network.encode(turned)[0]
    expected = SCALE * mean[0].permute(0, 3, 2, 1).flip(2, 3)[None]
    latent = flow.encode(image).latent
    torch.testing.assert_close(latent, expected, atol=1e-5, rtol=1e-4)
    back = flow.autoencoder.network.decode(mean)[0, 0].permute(2, 1, 0).flip(1, 2).clamp(0, 1)
    torch.testing.assert_close(flow.decode(latent)[0, 0], back, atol=1e-5, rtol=1e-4)


def test_values_outside_the_range_are_clipped(flow):
    image = normal(1, 1, 32, 32, 32)
    assert torch.equal(flow.encode(image).latent, flow.encode(image.clamp(0, 1)).latent)


def turned(latent):
    return latent.permute(0, 1, 4, 3, 2).flip(2, 3)


def test_prediction_is_the_networks_own(flow):
    noisy = normal(2, 4, 8, 8, 16)
    found = flow.predict(noisy, 0.5, flow.condition(FACTS))
    expected = flow.denoiser(
        turned(noisy).contiguous(), torch.tensor([500.0, 500.0]), class_labels=torch.tensor([8, 8]),
        spacing_tensor=torch.tensor([[70.0, 80.0, 200.0]] * 2),
    )  # fmt: skip
    torch.testing.assert_close(turned(found), expected, atol=1e-5, rtol=1e-4)


def test_ddpm_prediction_is_told_the_timestep(folders):
    model = open_tiny(folders["ddpm-ct"], "ddpm-ct")
    noisy = normal(1, 4, 8, 8, 8)
    found = model.predict(noisy, 0.25, model.condition(FACTS))
    expected = model.denoiser(
        turned(noisy).contiguous(), torch.tensor([249.0]),
        top_region_index_tensor=torch.tensor([[0, 100.0, 0, 0]]),
        bottom_region_index_tensor=torch.tensor([[0, 0, 100.0, 0]]),
        spacing_tensor=torch.tensor([[70.0, 80.0, 200.0]]),
    )  # fmt: skip
    torch.testing.assert_close(turned(found), expected, atol=1e-5, rtol=1e-4)


def test_guidance_moves_away_from_no_modality(folders, flow):
    noisy, facts = normal(1, 4, 8, 8, 8), ScanFacts(modality="t1")
    condition = flow.condition(facts)
    told = flow.predict(noisy, 0.5, condition)
    guided = open_tiny(folders["rflow-mr"], "rflow-mr", guidance=3.0)
    found = guided.predict(noisy, 0.5, condition)
    plain = flow.denoiser(
        turned(noisy).contiguous(), torch.tensor([500.0]), class_labels=torch.tensor([0]),
        spacing_tensor=torch.tensor([[100.0, 100.0, 100.0]]),
    ).permute(0, 1, 4, 3, 2).flip(3, 4)  # fmt: skip
    assert (told - plain).abs().max() > 1e-3  # the modality matters
    torch.testing.assert_close(found, plain + 3 * (told - plain), atol=1e-4, rtol=1e-4)


def test_guidance_is_as_published_unless_it_is_told(folders):
    assert open_tiny(folders["rflow-mr"], "rflow-mr").guidance == 10
    assert open_tiny(folders["rflow-ct"], "rflow-ct").guidance == 1
    once = open_tiny(folders["rflow-mr"], "rflow-mr", guidance=0)  # as the authors switch it off
    calls = []
    once.denoiser.register_forward_hook(lambda *told: calls.append(1))
    once.predict(normal(1, 4, 8, 8, 8), 0.5, once.condition(FACTS))
    assert len(calls) == 1


def test_attention_is_monais_own(folders):
    """Without holding all pairs of places, which MONAI itself allows on a GPU only."""
    model = open_tiny(folders["rflow-ct"], "rflow-ct")
    noisy, condition = normal(1, 4, 16, 8, 8), model.condition(FACTS)
    layers = [one for one in model.denoiser.modules() if hasattr(one, "use_flash_attention")]
    assert layers and all(one.use_flash_attention for one in layers)
    found = model.predict(noisy, 0.7, condition)
    for layer in layers:
        layer.use_flash_attention = False
    torch.testing.assert_close(model.predict(noisy, 0.7, condition), found, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "shape", [(1, 1, 32, 32, 40), (1, 2, 32, 32, 32), (1, 1, 32, 32), (1, 1, 4, 32, 32)]
)
def test_other_shapes_are_refused(flow, shape):
    with pytest.raises(InputError, match="multiples of 32"):
        flow.encode(torch.zeros(shape))


def test_values_that_are_no_numbers_are_refused(flow):
    image = torch.zeros(1, 1, 32, 32, 32)
    image[0, 0, 0, 0, 0] = torch.nan
    with pytest.raises(InputError, match="no numbers"):
        flow.encode(image)


def test_half_precision_that_overflows_is_computed_again_in_full(folders):
    model = open_tiny(folders["ddpm-ct"], "ddpm-ct")
    noisy, condition = normal(1, 4, 8, 8, 8), model.condition(FACTS)
    model.denoiser.out[2].conv.bias.fill_(6e4)
    model.denoiser.out[2].conv.weight.mul_(1e4)  # beyond the largest half, 65504
    expected = model.predict(noisy, 0.5, condition)
    model.denoiser.half()
    model.autoencoder.network.half()
    assert model.dtype == torch.float16
    found = model.predict(noisy, 0.5, condition)
    assert model.dtype == torch.float32 and torch.isfinite(found).all()
    assert (found - expected).abs().max() < 0.05 * expected.abs().max()


def test_weights_that_give_no_numbers_are_told_of(folders):
    model = open_tiny(folders["rflow-ct"], "rflow-ct")
    with torch.no_grad():
        model.denoiser.conv_in.conv.weight.fill_(torch.nan)
    with pytest.raises(ModelError, match=r"no numbers in one denoising step"):
        model.predict(normal(1, 4, 8, 8, 8), 0.5, model.condition(FACTS))


def test_flow_visits_more_noisy_levels_of_larger_latents(flow):
    assert isinstance(flow.process, RectifiedFlow)
    small, large = (flow.process.levels(1.0, 10, (side,) * 3)[5] for side in (32, 64))
    assert small == 0.5 and large == pytest.approx(2 * 0.5 / 1.5)
