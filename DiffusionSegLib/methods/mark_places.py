"""Marks that cannot be meant: points that contradict each other, marks where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import Float3, Geometry
from DiffusionSegLib.nouns.prompt import Point, Prompt

__all__ = ["refuse_contradictions", "refuse_outside_region", "shown_place"]


def refuse_contradictions(points: Sequence[Point], points_kji: NDArray[np.float64]) -> None:
    """points_kji: (n, 3), where they lie in the image. Raises PromptError for a voxel that is both
    included and excluded."""
    said: dict[tuple[Any, ...], bool] = {}
    for point, place in zip(points, np.rint(points_kji), strict=True):
        if said.setdefault(tuple(place), point.include) != point.include:
            raise PromptError(
                f"The points at {shown_place(point.position_ras)} both include and exclude one "
                "voxel; remove one of the two."
            )


def refuse_outside_region(prompt: Prompt, region: Geometry) -> None:
    """Raises PromptError for points and boxes outside the region that is looked at."""
    looks: list[tuple[str, Float3, Callable[[Geometry], object]]] = [
        ("point", one.position_ras, Prompt(points=(one,)).points_kji) for one in prompt.points
    ]
    looks += [("box around", one.center_ras, one.slices_kji) for one in prompt.boxes]
    for kind, place, look in looks:
        try:
            look(region)
        except PromptError as error:
            raise PromptError(
                f"The {kind} {shown_place(place)} lies outside the region that is looked at; move "
                "it there, or look at the whole image."
            ) from error


def shown_place(position_ras: Float3) -> str:
    """In a sentence."""
    return "(" + ", ".join(f"{value:.1f}" for value in position_ras) + ") mm RAS"
