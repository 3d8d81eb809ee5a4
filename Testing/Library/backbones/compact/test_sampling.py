import pytest
import torch

from DiffusionSegLib.backbones.compact.sampling import draw_image
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.compact.tiny import open_tiny, tiny_config, write_model
from Testing.Library.reference.awake import normal


@pytest.fixture
def model(tmp_path):
    return open_tiny(write_model(tmp_path))


def slow(model, text, seed, times, guidance):
    """The same steps, from the equations of DDIM with noise ε and clean latent x: float64."""
    s = tiny_config().schedule
    beta = torch.linspace(s["beta_start"] ** 0.5, s["beta_end"] ** 0.5, 1000).double() ** 2
    left = torch.cumprod(1 - beta, 0)
    z = torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(seed)).double()
    for number, time in enumerate(times):
        words = model.denoise(z.float(), time, text).double()
        plain = model.denoise(z.float(), time, model.embed_text("")).double()
        v = plain + guidance * (words - plain)
        a, b = left[time].sqrt(), (1 - left[time]).sqrt()
        x, epsilon = a * z - b * v, b * z + a * v
        z = x
        if number + 1 < len(times):
            then = left[times[number + 1]]
            z = then.sqrt() * x + (1 - then).sqrt() * epsilon
    return model.decode(z.float())


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_steps_follow_the_equations(model, guidance):
    text = model.embed_text("")
    other = type(text)("", normal(*text.states.shape, seed=5), text.tokens, text.spans)
    rng = torch.Generator().manual_seed(2)
    made = draw_image(model, other, (32, 48), rng, steps=4, guidance=guidance)
    wanted = slow(model, other, 2, [999, 666, 333, 0], guidance)
    assert made.shape == (1, 3, 32, 48)
    assert torch.allclose(made, wanted, atol=1e-3)


def test_the_seed_decides(model):
    text = model.embed_text("")
    images = [
        draw_image(model, text, (16, 16), torch.Generator().manual_seed(seed), steps=2)
        for seed in (0, 0, 1)
    ]
    assert torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])


def test_it_can_be_stopped(model):
    text, rng = model.embed_text(""), torch.Generator().manual_seed(0)
    with pytest.raises(Cancelled):
        draw_image(model, text, (16, 16), rng, progress=Progress(cancelled=lambda: True))
