"""The settings part of a cDAL model's card, read into objects."""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.intensity import IntensityRule
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.presence import PresenceLimits


@dataclass(frozen=True)
class Recipe:
    """generator: the network; noise_steps: T; samples: default size of the ensemble; presence:
    limits of the verdict; target: the object in words."""

    generator: GeneratorConfig
    noise_steps: int
    grid: ModelGrid
    intensity: tuple[IntensityRule, ...]
    samples: int
    presence: PresenceLimits
    target: str

    @staticmethod
    def of(model: ModelEntry) -> Recipe:
        """Read a card; raises ModelError."""
        s = model.settings
        try:
            return Recipe(
                generator=GeneratorConfig.from_dict(s["generator"]),
                noise_steps=int(s["noise_steps"]),
                grid=ModelGrid.from_dict(s["grid"]),
                intensity=tuple(IntensityRule.from_dict(rule) for rule in s["intensity"]),
                samples=int(s["samples"]),
                presence=PresenceLimits.from_dict(s["presence"]),
                target=str(s["target"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The card of the model {model.id} has unusable settings: {error}."
            ) from error
