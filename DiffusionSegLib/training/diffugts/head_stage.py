"""What the stages of training share: some networks, an optimizer, a generator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.training.diffugts.settings import GtsSettings

__all__ = ["HeadStage"]


class HeadStage:
    """Networks trained for ``total`` steps with AdamW, whose rate falls as half a cosine.

    Random numbers come from one generator, which is part of the state: a run that was killed goes
    on as if it had not been.
    """

    name = ""
    columns: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()  # settings that decide what a step does

    def __init__(
        self,
        network: nn.Module,
        settings: GtsSettings,
        device: torch.device,
        total: int,
        rate: float,
    ) -> None:
        self.settings, self.device, self.total, self._rate = settings, device, total, rate
        self.network = network.to(device)
        self.rng = torch.Generator().manual_seed(settings.seed)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), rate, weight_decay=settings.weight_decay
        )

    def loss(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Of the next batch: what is made small, and its parts for the log."""
        raise NotImplementedError

    def validate(self) -> dict[str, float]:
        """Measures on the validation part."""
        raise NotImplementedError

    def step(self, number: int) -> dict[str, float]:
        """One step of the optimizer; number: of the steps done before."""
        rate = self._rate * (0.5 + 0.5 * math.cos(math.pi * number / max(1, self.total)))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss, parts = self.loss()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimizer.step()
        return {"rate": rate, **{name: float(value.detach()) for name, value in parts.items()}}

    def drawn(self, weights: Tensor, count: int) -> list[int]:
        """``count`` places of (n,) weights, each as often as its weight says."""
        found = torch.multinomial(weights, count, replacement=True, generator=self.rng)
        return [int(place) for place in found]

    def state(self) -> dict[str, Any]:
        """All that is needed to go on."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.get_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.set_state(state["rng"])
