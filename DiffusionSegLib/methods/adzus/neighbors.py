"""Pairs of pixels that touch: where the border of a region can run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["diagonal_pairs", "straight_differences", "straight_pairs"]


def straight_pairs(values: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """(pairs,) twice: the values (rows, columns) on both sides of every pixel edge."""
    first = np.concatenate([values[:, :-1].ravel(), values[:-1].ravel()])
    second = np.concatenate([values[:, 1:].ravel(), values[1:].ravel()])
    return first, second


def diagonal_pairs(values: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """(pairs,) twice: the values (rows, columns) of pixels that touch at a corner."""
    first = np.concatenate([values[:-1, :-1].ravel(), values[:-1, 1:].ravel()])
    second = np.concatenate([values[1:, 1:].ravel(), values[1:, :-1].ravel()])
    return first, second


def straight_differences(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(pairs,), in the order of straight_pairs: Euclidean distance of features (rows, columns, n).
    """
    across = np.linalg.norm(features[:, 1:] - features[:, :-1], axis=-1)
    down = np.linalg.norm(features[1:] - features[:-1], axis=-1)
    return np.concatenate([across.ravel(), down.ravel()]).astype(np.float32)
