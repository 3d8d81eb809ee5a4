"""Against a network that knows exactly what it should answer: the posterior mean of what a text
says the image is."""

import math

import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.methods.adzus.word_fit import OTHER_WORDS, denoising_gains, word_fit
from DiffusionSegLib.progress import Progress

BRIGHT = torch.ones(1, 1, 8, 8)


class Ideal:
    """Takes every image for gray level 1 with the word "bright", -1 with "dark", 0 without."""

    name, image_channels, image_multiple, timesteps = "ideal", 1, 1, 1000
    dtype = torch.float32

    def __init__(self, velocity: bool) -> None:
        self.velocity = velocity
        self.network = torch.nn.Identity()
        self.calls = 0

    def encode(self, image):
        return image

    def embed_text(self, text):
        level = 1.0 * ("bright" in text) - 1.0 * ("dark" in text)
        return TextEmbedding(text, torch.full((1, 1, 1), level), (text,), (None,))

    def signal(self, timestep):
        return math.cos(math.pi / 2 * (timestep + 1) / 1001)

    def add_noise(self, latent, timestep, noise):
        signal = self.signal(timestep)
        return signal * latent + math.sqrt(1 - signal**2) * noise

    def denoise(self, latent, timestep, text):
        self.calls += 1
        signal = self.signal(timestep)
        rest = math.sqrt(1 - signal**2)
        # Half of what the text says and half of what is seen, as a network that is not sure.
        image = 0.5 * text.states.item() + 0.5 * latent / signal
        noise = (latent - signal * image) / rest
        return signal * noise - rest * image if self.velocity else noise

    def to_float32(self):
        raise AssertionError("nothing overflows here")


@pytest.mark.parametrize("velocity", [True, False])
def test_words_that_are_true_fit_and_others_do_not(velocity):
    network = Ideal(velocity)
    fits = [word_fit(network, BRIGHT, text, Progress.silent()) for text in ("bright", "dark", "x")]
    assert fits[0] > 0.9
    assert fits[1:] == [0.0, 0.0]


def test_gains_by_hand():
    """The error in the image is 0.5 (text - 1) plus half the noise; the target divides out."""
    network = Ideal(False)
    gains = denoising_gains(network, BRIGHT, ("bright", "dark", ""), Progress.silent())
    wanted = []
    rng = torch.Generator().manual_seed(0)
    for share in (0.35, 0.5, 0.7):
        signal = network.signal(round(share * 999))
        noise = torch.randn(BRIGHT.shape, generator=rng) * math.sqrt(1 - signal**2) / signal
        errors = [((0.5 * (text - 1) + 0.5 * noise) ** 2).mean().item() for text in (0, 1, -1)]
        wanted.append([1 - errors[1] / errors[0], 1 - errors[2] / errors[0], 0.0])
    assert gains == pytest.approx(torch.tensor(wanted).mean(0).numpy(), abs=1e-4)


def test_an_answer_that_overflowed_helps_nothing():
    network = Ideal(True)
    network.denoise = lambda latent, timestep, text: latent * math.nan
    assert word_fit(network, BRIGHT, "bright", Progress.silent()) == 0.0


def test_what_it_costs():
    network = Ideal(True)
    word_fit(network, BRIGHT, "bright", Progress.silent())
    assert network.calls == 3 * (2 + len(OTHER_WORDS))
