import torch

from DiffusionSegLib.methods.cdal.config import DiscriminatorConfig
from DiffusionSegLib.methods.cdal.discriminator import Discriminator
from DiffusionSegLib.methods.cdal.spatial_attention import attention_map
from Testing.Library.reference.awake import awake, normal

CONFIG = DiscriminatorConfig(channels=(4, 6, 8), halves=(True, True), time_width=8)
TIMES = torch.tensor([0, 1])


def bilinear(x: torch.Tensor, side: int) -> torch.Tensor:
    """Half-pixel bilinear enlargement of (B, 1, n, n), pixel by pixel."""
    size = x.shape[-1]
    out = torch.zeros(len(x), 1, side, side)
    for row in range(side):
        for column in range(side):
            v, u = (max((p + 0.5) * size / side - 0.5, 0) for p in (row, column))
            j, i = int(v), int(u)
            dv, du = v - j, u - i
            j2, i2 = min(j + 1, size - 1), min(i + 1, size - 1)
            top = (1 - du) * x[:, :, j, i] + du * x[:, :, j, i2]
            bottom = (1 - du) * x[:, :, j2, i] + du * x[:, :, j2, i2]
            out[:, :, row, column] = (1 - dv) * top + dv * bottom
    return out


def test_it_is_the_plain_channel_mean_enlarged_to_the_mask():
    network = awake(Discriminator(CONFIG))
    mask, noisier = normal(2, 1, 16, 16), normal(2, 1, 16, 16, seed=1)
    for level, size in enumerate((16, 8, 4)):
        found = attention_map(network, mask, TIMES, noisier, level)
        features = network.features(mask, TIMES, noisier)[level]
        assert features.shape[-1] == size
        mean = sum(features[:, c] for c in range(features.shape[1])) / features.shape[1]
        assert torch.allclose(found, bilinear(mean[:, None], 16), atol=1e-5)
        assert float(found.min()) < 0 < float(found.max())  # neither abs nor sigmoid


def test_no_gradient_flows_through_it():
    network = awake(Discriminator(CONFIG))
    mask = normal(2, 1, 16, 16).requires_grad_(True)
    found = attention_map(network, mask, TIMES, mask, 1)
    assert not found.requires_grad
    assert found.shape == (2, 1, 16, 16)


def test_volumes_are_enlarged_along_every_axis():
    config = DiscriminatorConfig(dims=3, channels=(4, 6), halves=(True,), time_width=8)
    network = awake(Discriminator(config))
    x = normal(2, 1, 4, 8, 6)
    assert attention_map(network, x, TIMES, x, 1).shape == (2, 1, 4, 8, 6)
