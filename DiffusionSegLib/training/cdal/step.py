"""One training iteration of both networks, in cDAL's order: discriminator, then generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from DiffusionSegLib.methods.cdal.discriminator import Discriminator
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.spatial_attention import attention_map
from DiffusionSegLib.training.cdal.batches import Batch
from DiffusionSegLib.training.cdal.losses import (
    fake_loss,
    gradient_penalty,
    overlap_loss,
    real_loss,
)
from DiffusionSegLib.training.cdal.settings import Task
from DiffusionSegLib.training.ema import MovingAverage


class TrainingStep:
    """Both networks, their optimisers and the moving average; every draw comes from ``rng``.

    The default mode is "released": the paper describes an adversarial term, the released code has
    none; see the trainer's documentation for what was measured.
    """

    def __init__(self, task: Task, device: torch.device, rng: torch.Generator) -> None:
        torch.manual_seed(task.training.seed)  # initial weights; all later draws use rng
        self.task, self.device, self.rng = task, device, rng
        self.process = VariancePreservingProcess(VariancePreservingConfig(task.noise_steps))
        self.generator = Generator(task.generator).to(device)
        self.discriminator = Discriminator(task.discriminator).to(device)
        self.average = MovingAverage(self.generator, task.training.ema)
        t = task.training
        self.generator_optimiser = _adam(self.generator, t.learning_rate, t.betas)
        self.discriminator_optimiser = _adam(self.discriminator, t.discriminator_rate, t.betas)

    def run(self, batch: Batch, step: int) -> dict[str, float]:
        """Train both networks on one batch; step counts from 0."""
        t = self.task.training
        values: dict[str, float] = {}
        uses_discriminator = t.mode == "adversarial" or t.attention_probability > 0
        if uses_discriminator and step % t.discriminator_every == 0:
            penalise = (step // t.discriminator_every) % t.r1_every == 0
            values |= self._discriminator_step(batch, penalise)
        return values | self._generator_step(batch)

    def _discriminator_step(self, batch: Batch, penalise: bool) -> dict[str, float]:
        t = self.task.training
        index = self._times(len(batch.clean))
        here, further = self._pair(batch.clean, index)
        if penalise:
            logits, penalty = gradient_penalty(self.discriminator, here, index, further, t.r1)
        else:
            logits, penalty = self.discriminator(here, index, further), torch.zeros(())
        with torch.no_grad(), self._precision():
            clean = self.generator(further, index, batch.image, self._latent(len(here))).float()
        fake = self.process.posterior(clean, further, index, self._noise(clean)).sample
        loss = real_loss(logits) + fake_loss(self.discriminator(fake, index, further))
        self._update(loss + penalty, self.discriminator, self.discriminator_optimiser)
        return {"discriminator": float(loss.detach()), "r1": float(penalty.detach())}

    def _generator_step(self, batch: Batch) -> dict[str, float]:
        t = self.task.training
        index = self._generator_times(len(batch.clean))
        _, further = self._pair(self._attended(batch, index), index)
        with self._precision():
            predicted = self.generator(further, index, batch.image, self._latent(len(further)))
        predicted = predicted.float()
        squared = F.mse_loss(predicted, batch.clean)
        loss, values = squared, {"squared": float(squared.detach())}
        if t.overlap_weight:
            overlap = overlap_loss(predicted, batch.clean, self.task.labels)
            loss = loss + t.overlap_weight * overlap
            values["overlap"] = float(overlap.detach())
        if t.mode == "adversarial":
            adversarial = self._adversarial(predicted, further, index)
            loss = loss + t.adversarial_weight * adversarial
            values["adversarial"] = float(adversarial.detach())
        values["gradient"] = self._update(loss, self.generator, self.generator_optimiser)
        self.average.update(self.generator)
        return values

    def _adversarial(self, predicted: Tensor, further: Tensor, index: Tensor) -> Tensor:
        """softplus(-D(fake)), as the paper describes; D itself is not changed by it."""
        fake = self.process.posterior(predicted, further, index, self._noise(predicted)).sample
        with _frozen(self.discriminator):
            return real_loss(self.discriminator(fake, index, further))

    def _attended(self, batch: Batch, index: Tensor) -> Tensor:
        """The mask to be noised: given, and in some steps multiplied by the spatial attention."""
        t = self.task.training
        if not float(torch.rand((), generator=self.rng)) < t.attention_probability:
            return batch.given
        here, further = self._pair(batch.clean, index)
        attention = attention_map(self.discriminator, here, index, further, t.attention_level)
        return attention * batch.given

    def _pair(self, clean: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        return self.process.diffuse_pair(clean, index, self._noise(clean), self._noise(clean))

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.rng).to(self.device)

    def _latent(self, count: int) -> Tensor:
        size = self.task.generator.latent_size
        return torch.randn((count, size), generator=self.rng).to(self.device)

    def _times(self, count: int) -> Tensor:
        return torch.randint(self.process.steps, (count,), generator=self.rng).to(self.device)

    def _generator_times(self, count: int) -> Tensor:
        index = self._times(count)
        share = self.task.training.noise_share
        if not share:
            return index
        chosen = (torch.rand(count, generator=self.rng) < share).to(self.device)
        return torch.where(chosen, self.process.steps - 1, index)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.task.training.bf16)

    def _update(self, loss: Tensor, network: nn.Module, optimiser: torch.optim.Optimizer) -> float:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), self.task.training.clip)
        if not torch.isfinite(norm):
            return float(norm)  # a batch that overflowed teaches nothing
        optimiser.step()
        return float(norm)

    def state(self) -> dict[str, object]:
        """Everything that a bit-exact continuation needs."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.network.state_dict(),
            "updates": self.average.updates,
            "generator_optimiser": self.generator_optimiser.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
            "rng": self.rng.get_state(),
            "global_rng": torch.get_rng_state(),
        }

    def adopt(self, state: dict[str, object]) -> None:
        """Take the weights of another run's state, nothing else; raises RuntimeError on others."""
        self.generator.load_state_dict(state["generator"])  # type: ignore[arg-type]
        self.discriminator.load_state_dict(state["discriminator"])  # type: ignore[arg-type]
        self.average.network.load_state_dict(state["average"])  # type: ignore[arg-type]
        self.average.updates = int(state["updates"])  # type: ignore[call-overload]

    def restore(self, state: dict[str, object]) -> None:
        """The inverse of ``state``."""
        self.adopt(state)
        self.generator_optimiser.load_state_dict(state["generator_optimiser"])  # type: ignore[arg-type]
        self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])  # type: ignore[arg-type]
        self.rng.set_state(state["rng"])  # type: ignore[arg-type]
        torch.set_rng_state(state["global_rng"])  # type: ignore[arg-type]


def _adam(network: nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), rate, betas)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in network.parameters():
            parameter.requires_grad_(True)
