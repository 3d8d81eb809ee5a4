"""Second and third stage: the rules that weigh regions, without marks and with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from DiffusionSegLib.methods.diffugts.marked_choice import MarkedChoice
from DiffusionSegLib.methods.diffugts.region_choice import RegionChoice
from DiffusionSegLib.training.diffugts.head_stage import HeadStage
from DiffusionSegLib.training.diffugts.losses import choice_loss, expectation_loss
from DiffusionSegLib.training.diffugts.maps_stage import DATA_SETTINGS
from DiffusionSegLib.training.diffugts.settings import GtsSettings

__all__ = ["RuleStage", "Weighed", "chosen_dice"]

_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class Weighed:
    """The regions of one picture: features (n, features), dice (n,), n at least 1. weight: how
    often it is drawn."""

    features: NDArray[np.float32]
    dice: NDArray[np.float32]
    weight: float = 1.0


class RuleStage(HeadStage):
    """Trains either rule; each picture is an item of its own, whose regions compete."""

    columns = ("rate", "loss", "validation_dice", "seconds")

    def __init__(
        self,
        network: RegionChoice | MarkedChoice,
        settings: GtsSettings,
        items: Sequence[Weighed],
        held: Sequence[Weighed],
        device: torch.device,
    ) -> None:
        marked = isinstance(network, MarkedChoice)
        self.name = "marked" if marked else "choice"
        own = ("marked_rate",) if marked else ("choice_rate",)
        self.counted = (
            *DATA_SETTINGS,
            *own,
            "choice_batch",
            "likely",
            "healthy",
            "maps_steps",
            "maps_batch",
        )
        total = settings.marked_steps if marked else settings.choice_steps
        rate = settings.marked_rate if marked else settings.choice_rate
        every = torch.from_numpy(np.concatenate([item.features for item in items]))
        network.mean.copy_(every.mean(dim=0))
        network.spread.copy_(every.std(dim=0, unbiased=False) + _LEAST_SPREAD)
        super().__init__(network, settings, device, total, rate)
        self.items, self.held = items, held
        self.weights = torch.tensor([item.weight for item in items])

    def loss(self) -> tuple[Tensor, dict[str, Tensor]]:
        """See choice_loss and expectation_loss; the mean over pictures."""
        chosen = [self.items[n] for n in self.drawn(self.weights, self.settings.choice_batch)]
        features = torch.from_numpy(np.concatenate([item.features for item in chosen]))
        features, counts = features.to(self.device), [len(one.dice) for one in chosen]
        logits = self.network(features).split(counts)
        expected: Sequence[Tensor | None] = [None] * len(chosen)
        if isinstance(self.network, RegionChoice):
            expected = self.network.expected(features).split(counts)
        losses = [self._loss(*one) for one in zip(logits, expected, chosen, strict=True)]
        total = torch.stack(losses).mean()
        return total, {"loss": total}

    def _loss(self, logits: Tensor, expected: Tensor | None, item: Weighed) -> Tensor:
        """Where there is nothing, nothing competes."""
        dice = torch.from_numpy(item.dice).to(self.device)
        loss = logits.sum() * 0
        if item.dice.max() > 0:
            loss = choice_loss(logits, dice, self.settings.likely)
        return loss if expected is None else loss + expectation_loss(expected, logits, dice)

    def validate(self) -> dict[str, float]:
        """Mean Dice of the region that is chosen, over pictures that hold something."""
        found = [chosen_dice(self.network, one) for one in self.held if one.dice.max() > 0]
        return {"validation_dice": float(np.mean(found))} if found else {}


@torch.no_grad()
def chosen_dice(rule: nn.Module, item: Weighed) -> float:
    """Dice of the region that the rule likes best."""
    device = next(rule.parameters()).device
    logits = rule(torch.from_numpy(item.features).to(device))
    return float(item.dice[int(logits.argmax())])
