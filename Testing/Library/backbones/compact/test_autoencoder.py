import math

import pytest
import torch

from DiffusionSegLib.backbones.compact.autoencoder import LatentGaussian
from Testing.Library.backbones.compact.tiny import tiny_networks
from Testing.Library.reference.awake import normal


@pytest.mark.parametrize(("rows", "columns"), [(32, 32), (24, 40)])
def test_latents_have_a_quarter_of_the_sides(rows, columns):
    network, _ = tiny_networks()
    image = normal(2, 3, rows, columns)
    with torch.no_grad():
        latent = network.encode(image)
        assert latent.mean.shape == latent.log_variance.shape == (2, 4, rows // 4, columns // 4)
        assert network.decode(latent.mean).shape == image.shape


def test_an_image_is_made_from_a_sample_of_its_latent():
    network, _ = tiny_networks()
    image, noise = normal(1, 3, 16, 16), normal(1, 4, 4, 4, seed=1)
    with torch.no_grad():
        made, latent = network(image, noise)
        by_hand = latent.mean + (latent.log_variance / 2).exp() * noise
        assert torch.allclose(made, network.decode(by_hand))


def test_divergence_from_the_standard_normal():
    """KL(N(m, s²) ‖ N(0, 1)) = ½ (m² + s² − 1 − ln s²), for m = 1, s² = 4 and for m = 0, s² = 1."""
    mean = torch.tensor([[[[1.0, 0.0]]]])
    log_variance = torch.tensor([[[[math.log(4.0), 0.0]]]])
    wanted = (0.5 * (1 + 4 - 1 - math.log(4.0)) + 0.0) / 2
    assert float(LatentGaussian(mean, log_variance).divergence()) == pytest.approx(wanted)
