"""Where a walk over attention that starts at a pixel ends: inside a mask or outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.plane import Plane, resized

__all__ = ["STEPS", "walked"]

STEPS = (1, 4, 16)


def walked(
    plane: Plane, mask: NDArray[np.bool_], steps: Sequence[int] = STEPS
) -> NDArray[np.float32]:
    """(rows, columns, len(steps)), as the mask: the share of the walks of so many steps that end in
    the mask, of the largest share.

    The walk starts from the mask's share of every place; since the walk is balanced, what it gives
    to the mask and to the background together stays 1. Joint bilateral weights bring it to pixels.
    """
    share = resized(mask.astype(np.float32)[..., None], plane.attention.grid)[..., 0].ravel()
    state, found = torch.from_numpy(share), []
    for step in range(max(steps) + 1):
        if step in steps:
            values = np.asarray(state / max(float(state.max()), 1e-6), dtype=np.float32)
            found.append(plane.enlarge(values))
        state = plane.attention.walk @ state
    return np.stack(found, axis=-1)
