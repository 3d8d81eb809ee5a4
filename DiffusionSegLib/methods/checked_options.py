"""What a caller asks of a method, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import SupportsIndex

from DiffusionSegLib.errors import InputError, PromptError, unknown_name
from DiffusionSegLib.io.checks import check_finite
from DiffusionSegLib.methods.contract import MethodDescription, RunOptions, Value
from DiffusionSegLib.methods.mark_places import refuse_contradictions, refuse_outside_region
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box, Prompt

__all__ = ["check_image", "check_prompt", "checked_run"]

_MOST_SAMPLES = 1000
_LARGEST_SEED = 2**31 - 1


def checked_run(
    description: MethodDescription,
    seed: object,
    samples: object,
    parameters: Mapping[str, Value],
) -> RunOptions:
    """Raises InputError for numbers out of range, UnknownNameError for parameters not known."""
    return RunOptions(
        _checked("seed", seed, 0, _LARGEST_SEED),
        None if samples is None else _checked("samples", samples, 1, _MOST_SAMPLES),
        _parameters(description, parameters),
    )


def check_image(image: Image) -> None:
    """Raises InputError for what is no Image, and for NaN and infinity in it."""
    if not isinstance(image, Image):
        raise InputError(
            f"An image is needed, not {type(image).__name__}; make one with Image.read(path) or "
            "Image.from_array(array)."
        )
    check_finite(image.array, image.path.name if image.path is not None else "The image")


def check_prompt(
    description: MethodDescription, prompt: Prompt, geometry: Geometry, region: Box | None = None
) -> None:
    """Raises PromptError for what the method does not take, for marks outside the image or the
    region that is looked at (the prompt's, else the given one), and for points that contradict
    each other."""
    if not isinstance(prompt, Prompt):
        raise PromptError(
            f"A Prompt is needed, not {prompt!r}; make one, for instance with "
            "Prompt(points=[(x, y, z)]) or Prompt(text=words)."
        )
    surplus = sorted(prompt.kinds - description.prompts - {"region"})
    if surplus:
        raise PromptError(
            f"The method {description.name} does not take {' or '.join(surplus)}; "
            f"it takes {', '.join(sorted(description.prompts))}."
        )
    refuse_contradictions(prompt.points, prompt.points_kji(geometry))
    for box in prompt.boxes:
        box.slices_kji(geometry)
    region = prompt.region or region
    if region is not None:
        refuse_outside_region(prompt, geometry.crop(region.slices_kji(geometry)))


def _checked(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        number = low - 1
    else:
        number = index(value)
    if not low <= number <= high:
        raise InputError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return number


def _parameters(description: MethodDescription, values: Mapping[str, Value]) -> dict[str, Value]:
    specs = {spec.name: spec for spec in description.parameters}
    for name in values:
        if name not in specs:
            raise unknown_name(f"parameter of {description.name}", name, specs)
    return {name: specs[name].validate(value) for name, value in values.items()}
