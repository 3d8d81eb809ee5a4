import torch

from DiffusionSegLib.methods.cdal.adagn import AdaptiveGroupNorm
from Testing.Library.reference.awake import awake, normal
from Testing.Library.reference.cdal_reference import group_norm


def test_the_latent_scales_and_shifts_each_channel():
    layer = awake(AdaptiveGroupNorm(24, 10))
    x, latent = normal(3, 24, 6, 5), normal(3, 10, seed=1)
    style = latent @ layer.style.weight.T + layer.style.bias
    scale, shift = style[:, :24, None, None], style[:, 24:, None, None]
    assert torch.allclose(layer(x, latent), scale * group_norm(x, 6, 1e-6) + shift, atol=1e-5)


def test_it_starts_as_a_plain_normalisation():
    layer = AdaptiveGroupNorm(8, 4)
    torch.nn.init.zeros_(layer.style.weight)  # what is left is the bias alone
    x = 5 + 3 * normal(2, 8, 4, 4, 4)
    out = layer(x, normal(2, 4))
    assert torch.allclose(out, layer.norm(x))
    assert abs(float(out.detach().mean())) < 1e-5


def test_volumes_are_slices_of_the_same_rule():
    layer = awake(AdaptiveGroupNorm(8, 4))
    x, latent = normal(2, 8, 3, 4, 5), normal(2, 4, seed=1)
    flat = layer(x.reshape(2, 8, 12, 5), latent)
    assert torch.allclose(layer(x, latent), flat.reshape(x.shape), atol=1e-6)


def test_one_style_serves_all_samples():
    layer = awake(AdaptiveGroupNorm(8, 4))
    x, latent = normal(3, 8, 4, 4), normal(1, 4, seed=1)
    assert torch.allclose(layer(x, latent), layer(x, latent.expand(3, -1)), atol=1e-6)
