"""What a run will cost, told from the model's card and the image before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from DiffusionSegLib.methods.contract import RunOptions

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.manifest import ModelEntry
    from DiffusionSegLib.nouns.image import Image
    from DiffusionSegLib.nouns.prompt import Box, Prompt

__all__ = ["Economies", "Economy", "Forecast", "Forecasting", "RunWish", "Sparing", "Work"]


@dataclass(frozen=True)
class Economy:
    """With how much less a run makes do. half: half-precision arithmetic, whatever was asked;
    smaller: how often what is computed at once was cut down, 0 as usual."""

    half: bool = False
    smaller: int = 0


@dataclass(frozen=True)
class Economies:
    """What a method can do without. half: knows half precision; smaller: what is done at every
    further cut, in words that follow "outlined"; least_samples: so few are possible, 0 when fewer
    samples take no less memory; margin_mm: around marks, which a run on a part of the image needs,
    0 when it cannot be done."""

    half: bool = False
    smaller: tuple[str, ...] = ()
    least_samples: int = 0
    margin_mm: float = 0.0


@dataclass(frozen=True)
class RunWish:
    """A run to come. fast_half: whether the device is fast in half precision; draws: share
    of the samples that the model draws on the average, 0 when that is not known (see Costs)."""

    image: Image
    region: Box | None
    prompt: Prompt
    run: RunOptions
    economy: Economy = Economy()
    fast_half: bool = False
    draws: float = 0.0


@dataclass(frozen=True)
class Work:
    """times: units of work by kind; sizes: units that are in memory at the worst moment, by kind.
    What a unit takes stands in the card's costs."""

    times: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Forecast:
    """embed, propose: of the two parts of a first run; again: of a propose with the same marks on
    the same image later. words: such as "27 windows, up to 5 samples". samples: at most drawn.
    exact: False when what there is to do shows only on the way."""

    embed: Work
    propose: Work
    again: Work
    words: str
    samples: int = 1
    exact: bool = True


@runtime_checkable
class Forecasting(Protocol):
    """What a Method may offer, so that a run can be planned."""

    def forecast(self, model: ModelEntry, wish: RunWish) -> Forecast:
        """Reads the card and the image's geometry; neither loads the model nor imports torch.
        Raises ModelError for a card that cannot be used, InputError and PromptError."""

    def economies(self, model: ModelEntry) -> Economies:
        """What can be done with less memory."""


@runtime_checkable
class Sparing(Protocol):
    """What a Predictor may offer: to make do with less memory."""

    economy: Economy | None
    """Holds for every embed, propose and refine from now on. None: nobody plans for this predictor,
    so that it helps itself where it can."""
