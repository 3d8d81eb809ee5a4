"""Grids of every kind for tests: oblique, anisotropic, left-handed, flipped."""

import itertools

import numpy as np
from hypothesis import strategies as st

from DiffusionSegLib.nouns.geometry import Geometry, as_direction


def rotation(degrees: tuple[float, float, float]) -> np.ndarray:
    """Rotation about x, then y, then z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        first, second = [other for other in range(3) if other != axis]
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def grid(
    shape_kji: tuple[int, int, int] = (5, 7, 9),
    oblique: bool = False,
    anisotropic: bool = False,
    left_handed: bool = False,
    flipped: bool = False,
) -> Geometry:
    direction = rotation((20.0, -15.0, 30.0)) if oblique else np.eye(3)
    if flipped:  # two axes turned: still right-handed
        direction = direction @ np.diag([-1.0, 1.0, -1.0])
    if left_handed:
        direction = direction @ np.diag([1.0, -1.0, 1.0])
    spacing = (0.7, 0.9, 2.5) if anisotropic else (1.0, 1.0, 1.0)
    return Geometry(shape_kji, spacing, (11.5, -23.25, 31.0), as_direction(direction))


KINDS = [
    dict(zip(("oblique", "anisotropic", "left_handed", "flipped"), flags, strict=True))
    for flags in itertools.product((False, True), repeat=4)
]
KIND_NAMES = ["+".join(name for name, on in kind.items() if on) or "plain" for kind in KINDS]
SHEARED = Geometry(
    (5, 7, 9),
    (0.7, 0.9, 2.5),
    (11.5, -23.25, 31.0),
    as_direction([[1, 0, 0], [0, 1, 0.24253562503633297], [0, 0, 0.9701425001453319]]),
)


@st.composite
def geometries(draw: st.DrawFn, largest: int = 6) -> Geometry:
    """Any right- or left-handed orthogonal grid of plausible size."""
    size = st.integers(2, largest)
    angle = st.floats(-180.0, 180.0)
    direction = rotation((draw(angle), draw(angle), draw(angle)))
    if draw(st.booleans()):
        direction = direction @ np.diag([1.0, 1.0, -1.0])
    length = st.floats(0.05, 20.0)
    place = st.floats(-1000.0, 1000.0)
    return Geometry(
        (draw(size), draw(size), draw(size)),
        (draw(length), draw(length), draw(length)),
        (draw(place), draw(place), draw(place)),
        as_direction(direction),
    )
