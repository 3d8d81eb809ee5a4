"""What both stages of training share: a network, its average, an optimizer, a generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from DiffusionSegLib.compute.device import prefers_bfloat16
from DiffusionSegLib.training.backbone.batches import Batch, Batches, validation_batch
from DiffusionSegLib.training.backbone.pack import Pack
from DiffusionSegLib.training.backbone.settings import TrainingSettings
from DiffusionSegLib.training.ema import MovingAverage

__all__ = ["Stage", "rate_share", "seeded"]

Network = TypeVar("Network", bound=nn.Module)

_BETAS = (0.9, 0.99)


class Stage(Generic[Network]):
    """One network that is trained for ``total`` steps; ``loss`` says on what.

    Random numbers come from one generator, which is part of the state: a run that was killed goes
    on as if it had not been.
    """

    name = ""
    columns: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()  # settings that decide what a step does

    def __init__(
        self,
        network: Network,
        settings: TrainingSettings,
        pack: Pack,
        device: torch.device,
        total: int,
        rate: float,
    ) -> None:
        self.settings, self.device, self.total, self._rate = settings, device, total, rate
        self.rng = torch.Generator().manual_seed(settings.seed)
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = MovingAverage(network, settings.ema)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), rate, _BETAS, weight_decay=settings.weight_decay
        )
        self.batches = Batches(pack, settings.empty_text, self.rng)
        self.held_out = validation_batch(pack, settings.side, settings.seed, device)
        self._bf16 = prefers_bfloat16(str(device)) if settings.bf16 is None else settings.bf16

    def draw(self, number: int) -> Batch:
        """The batch of a step."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """What is made small, and its parts for the log."""
        raise NotImplementedError

    def validate(self) -> dict[str, float]:
        """Measures of the averaged weights on the validation part."""
        raise NotImplementedError

    def step(self, number: int) -> dict[str, float]:
        """One step of the optimizer; number: of the steps done before."""
        rate = self._rate * rate_share(number, self.total, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss, parts = self.loss(self.draw(number))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimizer.step()
        self.average.update(self.network)
        values = {name: float(value.detach()) for name, value in parts.items()}
        return {**values, "gradient": float(norm), "rate": rate}

    def noise(self, shape: torch.Size) -> Tensor:
        """Standard normal, the same on every device."""
        return torch.randn(shape, generator=self.rng).to(self.device)

    @contextmanager
    def fast(self) -> Iterator[None]:
        """In bfloat16 where that is faster."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
            yield

    def state(self) -> dict[str, Any]:
        """All that is needed to go on."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "updates": self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.get_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``."""
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.average.updates = int(state["updates"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.set_state(state["rng"])


def rate_share(number: int, total: int, settings: TrainingSettings) -> float:
    """Share of the full rate at a step: rises, is flat, and falls as half a cosine to nothing."""
    warm = min(1.0, (number + 1) / max(1, settings.warmup))
    falling = settings.decay * total
    gone = (number - (total - falling)) / max(falling, 1.0)
    return warm * (0.5 + 0.5 * math.cos(math.pi * min(max(gone, 0.0), 1.0)))


def seeded(build: Callable[[], Network], seed: int) -> Network:
    """A network with weights that depend on the seed; torch's own random state stays as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()
