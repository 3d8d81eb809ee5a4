"""Against a network that knows exactly what it should answer: the posterior mean of what a text
says the image is."""

import math

import numpy as np
import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.methods.adzus.word_fit import OTHER_WORDS, WordEffect, word_effect
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


def effect(network, text):
    return word_effect(network, BRIGHT, text, Progress.silent())


@pytest.mark.parametrize("velocity", [True, False])
def test_words_that_are_true_fit_and_others_do_not(velocity):
    network = Ideal(velocity)
    fits = [effect(network, text).fit for text in ("bright", "dark", "x")]
    assert fits[0] > 0.9
    assert fits[1:] == [0.0, 0.0]


def test_gains_by_hand():
    """The error in the image is 0.5 (text - 1) plus half the noise; the target divides out."""
    network = Ideal(False)
    found = effect(network, "bright")
    gains = [found.gain, effect(network, "dark").gain, found.others[0]]
    wanted = []
    rng = torch.Generator().manual_seed(0)
    for share in (0.8, 0.87, 0.93):
        signal = network.signal(round(share * 999))
        drawn = torch.randn(BRIGHT.shape, generator=rng) * math.sqrt(1 - signal**2) / signal
        for noise in (drawn, -drawn):
            errors = [((0.5 * (text - 1) + 0.5 * noise) ** 2).mean().item() for text in (0, 1, -1)]
            wanted.append([1 - errors[1] / errors[0], 1 - errors[2] / errors[0], 0.0])
    assert gains == pytest.approx(torch.tensor(wanted).mean(0).numpy(), abs=1e-4)


def test_the_answer_differs_where_the_word_is():
    """A network for which "bright" is the left half only."""
    network = Ideal(False)
    plain = network.denoise

    def half(latent, timestep, text):
        none = network.embed_text("")
        answer = plain(latent, timestep, none)
        answer[..., :4] = plain(latent, timestep, text)[..., :4]
        return answer

    network.denoise = half
    found = effect(network, "bright").difference
    assert found.shape == (8, 8)
    assert found[:, :4].numpy() == pytest.approx(2.0, rel=1e-4)
    assert found[:, 4:].abs().max() < 1e-6


def test_fit_by_hand():
    others = np.array([0.03, 0.05, 0.04])
    found = WordEffect(0.1, others, torch.ones(1, 1)).fit
    assert found == pytest.approx(1 - math.exp(-0.06 / math.sqrt((0.0009 + 0.0025 + 0.0016) / 3)))
    assert WordEffect(0.02, np.zeros(3), torch.ones(1, 1)).fit == pytest.approx(1 - math.exp(-1))
    assert WordEffect(-0.5, -np.ones(3), torch.ones(1, 1)).fit == 0.0


def test_an_answer_that_overflowed_helps_nothing():
    network = Ideal(True)
    network.denoise = lambda latent, timestep, text: latent * math.nan
    assert effect(network, "bright").fit == 0.0
    assert effect(network, "bright").difference.max() == 0.0


def test_what_it_costs():
    network = Ideal(True)
    effect(network, "bright")
    assert network.calls == 6 * (2 + len(OTHER_WORDS))
