import pytest
import torch
from torch.nn import functional as F

from DiffusionSegLib.methods.cdal.spatial_attention import attention_map
from DiffusionSegLib.training.cdal.batches import Batch, Batches
from DiffusionSegLib.training.cdal.step import TrainingStep
from Testing.Library.reference.awake import awake
from Testing.Library.training.cdal.tiny_task import disc_pack, tiny_task

CPU = torch.device("cpu")


def started(labels: int = 1, **training) -> tuple[TrainingStep, Batch]:
    task = tiny_task(labels, **training)
    rng = torch.Generator().manual_seed(task.training.seed)
    steps = TrainingStep(task, CPU, rng)
    return steps, Batches(task, disc_pack(labels), rng).draw(CPU)


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("mode", ["released", "adversarial"])
@pytest.mark.parametrize("labels", [1, 2])
def test_one_step_moves_both_networks_and_the_average(mode, labels):
    steps, batch = started(labels, mode=mode, overlap_weight=0.5)
    parts = (steps.generator, steps.discriminator, steps.average.network)
    before = [weights(part) for part in parts]
    values = steps.run(batch, 0)
    for part, old in zip(parts, before, strict=True):
        new = weights(part)
        assert torch.isfinite(new).all()
        assert not torch.equal(new, old)
    assert ("adversarial" in values) == (mode == "adversarial")
    assert {"squared", "overlap", "discriminator", "r1", "gradient"} <= set(values)
    assert all(torch.isfinite(torch.tensor(v)) for v in values.values())


def test_the_generators_step_leaves_the_discriminator_alone():
    steps, batch = started(mode="adversarial", discriminator_every=5)
    judge = weights(steps.discriminator)
    steps.run(batch, 1)
    assert torch.equal(weights(steps.discriminator), judge)
    assert all(p.requires_grad for p in steps.discriminator.parameters())
    steps.run(batch, 5)
    assert not torch.equal(weights(steps.discriminator), judge)


def test_without_attention_or_adversary_no_discriminator_is_trained():
    steps, batch = started(attention_probability=0.0)
    judge = weights(steps.discriminator)
    assert "discriminator" not in steps.run(batch, 0)
    assert torch.equal(weights(steps.discriminator), judge)


def test_the_noisiest_step_can_be_trained_more_often():
    shares = []
    for share in (0.0, 0.6, 1.0):
        steps, _ = started(noise_share=share)
        shares.append(float((steps._generator_times(4000) == 1).float().mean()))
    assert shares == pytest.approx([0.5, 0.8, 1.0], abs=0.03)


def test_without_a_share_the_draws_are_as_released():
    steps, _ = started()
    state = steps.rng.get_state()
    usual = steps._times(10)
    steps.rng.set_state(state)
    assert torch.equal(steps._generator_times(10), usual)


def test_the_adversary_pulls_the_generator():
    """Same draws, same start: only λ softplus(-D(fake)) differs."""
    moved = []
    for weight in (0.0, 5.0):
        steps, batch = started(
            mode="adversarial", adversarial_weight=weight, discriminator_every=1000, clip=1e9
        )
        awake(steps.discriminator)
        awake(steps.generator)
        steps.run(batch, 1)
        moved.append(weights(steps.generator))
    assert not torch.allclose(moved[0], moved[1], atol=1e-6)


def test_the_penalty_comes_every_r1_steps():
    steps, batch = started(r1_every=3, attention_probability=1.0)
    awake(steps.discriminator)
    penalties = [steps.run(batch, step)["r1"] for step in range(7)]
    assert [p > 0 for p in penalties] == [True, False, False, True, False, False, True]


def test_squared_error_is_the_released_loss():
    """The whole generator step again, by hand, from the same draws."""
    steps, batch = started(attention_probability=1.0, corruption_probability=0.0)
    awake(steps.generator)
    awake(steps.discriminator)
    rng = torch.Generator()
    rng.set_state(steps.rng.get_state())
    index = torch.randint(2, (2,), generator=rng)
    torch.rand((), generator=rng)
    shape = batch.clean.shape
    process, judge = steps.process, steps.discriminator
    here, further = process.diffuse_pair(
        batch.clean, index, torch.randn(shape, generator=rng), torch.randn(shape, generator=rng)
    )
    attention = judge.features(here, index, further)[1].mean(dim=1, keepdim=True)
    attention = F.interpolate(attention, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(attention, attention_map(judge, here, index, further, 1), atol=1e-6)
    _, noised = process.diffuse_pair(
        attention * batch.clean,
        index,
        torch.randn(shape, generator=rng),
        torch.randn(shape, generator=rng),
    )
    latent = torch.randn((2, 4), generator=rng)
    predicted = steps.generator(noised, index, batch.image, latent)
    wanted = ((batch.clean - predicted) ** 2).mean().item()  # of the mask without attention
    assert steps._generator_step(batch)["squared"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("mode", ["released", "adversarial"])
def test_half_precision_trains_full_precision_weights(mode):
    steps, batch = started(mode=mode, bf16=True)
    seen = []
    steps.generator.stem.register_forward_hook(lambda _m, _g, out: seen.append(out.dtype))
    before = weights(steps.generator)
    for step in range(3):
        values = steps.run(batch, step)
    assert torch.bfloat16 in seen
    assert all(torch.isfinite(torch.tensor(v)) for v in values.values())
    after = weights(steps.generator)
    assert after.dtype == torch.float32
    assert not torch.equal(before, after)


def test_a_batch_that_overflowed_teaches_nothing():
    steps, batch = started()
    steps.run(batch, 1)
    before = weights(steps.generator), weights(steps.discriminator)
    broken = Batch(batch.image * float("nan"), batch.clean, batch.given)
    steps.run(broken, 2)
    assert torch.equal(weights(steps.generator), before[0])
    assert torch.equal(weights(steps.discriminator), before[1])
    steps.run(batch, 3)
    assert torch.isfinite(weights(steps.generator)).all()


def test_training_learns_the_discs():
    steps, batch = started(learning_rate=2e-3, attention_probability=0.0)
    values = [steps.run(batch, step)["squared"] for step in range(60)]
    assert sum(values[-10:]) < 0.5 * sum(values[:10])


def test_the_state_continues_bit_for_bit():
    whole, batch = started(mode="adversarial")
    for step in range(4):
        whole.run(batch, step)
    first, _ = started(mode="adversarial")
    for step in range(2):
        first.run(batch, step)
    kept = first.state()
    second, _ = started(mode="adversarial", seed=5)  # other weights, other draws
    second.restore(kept)
    for step in range(2, 4):
        second.run(batch, step)
    for part in ("generator", "discriminator"):
        assert torch.equal(weights(getattr(second, part)), weights(getattr(whole, part)))
    assert torch.equal(weights(second.average.network), weights(whole.average.network))
