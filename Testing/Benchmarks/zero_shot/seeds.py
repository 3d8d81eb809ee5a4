"""What clicks say about pixels, for algorithms that want seeds of both classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.evaluation.clicks import Click
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class SeedRule:
    """How a click becomes seeds; lengths are shares of the picture's diagonal.

    radius: a click is a disc of this radius, at least its own pixel. Where discs meet, the nearer
    click decides. reach: what lies farther from every including click is background (0: nothing
    is). ring: the picture's border is background "always", or "until" there is an excluding click;
    near an including click it never is.
    """

    radius: float = 0.01
    reach: float = 0.0
    ring: str = "until"


@dataclass(frozen=True, eq=False)
class Seeds:
    """Boolean maps (rows, columns). nearest: whether the nearest click includes; near: within
    `reach` of an including click."""

    include: BoolArray
    exclude: BoolArray
    nearest: BoolArray
    near: BoolArray


def seeds_of(working: Working, clicks: Sequence[Click], rule: SeedRule) -> Seeds:
    """Seeds of both classes; at least one click must include."""
    distances = click_distances(working, clicks)
    includes = np.array([click.include for click in clicks])
    nearest = includes[np.argmin(distances, axis=0)]
    radius = max(0.75, rule.radius * working.diagonal)
    disc = distances.min(axis=0) <= radius
    to_include = distances[includes].min(axis=0)
    near = to_include <= rule.reach * working.diagonal if rule.reach else np.ones_like(disc)
    exclude = ~near
    if rule.ring == "always" or includes.all():
        exclude |= border(working.shape) & (to_include > 2 * radius + 1)
    return Seeds(disc & nearest, (exclude & ~disc) | (disc & ~nearest), nearest, near)


def click_distances(working: Working, clicks: Sequence[Click]) -> NDArray[np.float32]:
    """(clicks, rows, columns): distance of each pixel to each click; 0 in the click's own pixel."""
    rows, columns = (np.arange(side, dtype=np.float32) for side in working.shape)
    places = np.array([working.pixel(click) for click in clicks], np.float32)
    down = rows[:, np.newaxis] - places[:, 0, np.newaxis, np.newaxis]
    across = columns - places[:, 1, np.newaxis, np.newaxis]
    return np.asarray(np.hypot(down, across), np.float32)


def border(shape: tuple[int, int]) -> BoolArray:
    """The outermost pixels."""
    ring = np.ones(shape, np.bool_)
    ring[1:-1, 1:-1] = False
    return ring
