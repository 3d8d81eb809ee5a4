"""The settings part of a cDAL model's card, read into objects."""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.intensity import IntensityRule
from DiffusionSegLib.methods.cdal.masks import mask_channels
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.presence import PresenceLimits

_COLORS = 3  # channels of an RGB input
_MOST = 1000  # steps of the noise, which the time embedding knows, and samples of a run


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
            recipe = Recipe(
                generator=GeneratorConfig.from_dict(s["generator"]),
                noise_steps=int(s["noise_steps"]),
                grid=ModelGrid.from_dict(s["grid"]),
                intensity=tuple(IntensityRule.from_dict(rule) for rule in s["intensity"]),
                samples=int(s["samples"]),
                presence=PresenceLimits.from_dict(s["presence"]),
                target=str(s["target"]),
            )
            _check(recipe, model)
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise ModelError(
                f"The card of the model {model.id} has unusable settings: {error}."
            ) from error
        return recipe


def _check(recipe: Recipe, model: ModelEntry) -> None:
    """What the parts of a card say of each other must agree; raises ValueError."""
    network, window = recipe.generator, recipe.grid.window_kji
    channels = sum(_COLORS if part.kind == "RGB" else 1 for part in model.inputs)
    sides = window if recipe.grid.is_volumetric else window[1:]
    agreements = {
        "no labels": bool(model.labels),
        "image_channels do not fit the inputs": network.image_channels == channels,
        "intensity needs one rule per channel": len(recipe.intensity) == channels,
        "mask_channels do not fit the labels": network.mask_channels
        == mask_channels(len(model.labels)),
        "window_kji needs three sizes": len(window) == 3 and min(window) >= 1,
        "dims do not fit the window": network.dims == (3 if recipe.grid.is_volumetric else 2),
        f"window sides must be multiples of {network.stride}": not any(
            side % network.stride for side in sides
        ),
        "noise_steps and samples must be positive": min(recipe.noise_steps, recipe.samples) >= 1,
        f"noise_steps and samples are at most {_MOST}": max(recipe.noise_steps, recipe.samples)
        <= _MOST,
    }
    wrong = [sentence for sentence, good in agreements.items() if not good]
    if wrong:
        raise ValueError("; ".join(wrong))
