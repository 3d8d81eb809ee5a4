"""A random walker that starts from a guess for every pixel (Grady 2005, "Multilabel random walker
image segmentation using prior models")."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

__all__ = ["walk_to_guess"]

Floats = NDArray[np.float64]
_MOST_ROUNDS = 200
_TOLERANCE = 1e-3
_WEAKEST = 1e-3  # keeps pixels behind an edge connected


def walk_to_guess(
    features: NDArray[np.float32],
    guess: Floats,
    trust: Floats,
    fixed: NDArray[np.bool_],
    strength: float,
) -> Floats:
    """(rows, columns) in [0, 1]: minimizes strength Σ w (x - x')² + Σ trust (x - guess)².

    features: (rows, columns, n), w = exp(-d² / mean d²) over pairs of touching pixels; guess: in
    [0, 1]; trust: above 0. Pixels of ``fixed`` keep their guess exactly.
    """
    links = _links(features) * strength
    free = np.flatnonzero(~fixed.ravel())
    known = np.flatnonzero(fixed.ravel())
    found = guess.ravel().copy()
    if len(free) == 0:
        return guess.copy()
    degree = np.asarray(links.sum(axis=1)).ravel() + trust.ravel()
    rows = links[free]
    matrix = sparse.diags(degree[free]) - rows[:, free]
    target = (trust.ravel() * found)[free] + rows[:, known] @ found[known]
    scale = sparse.diags(1 / degree[free])
    solved, _ = linalg.cg(
        matrix.tocsr(), target, x0=found[free], rtol=_TOLERANCE, maxiter=_MOST_ROUNDS, M=scale
    )
    found[free] = np.clip(solved, 0.0, 1.0)
    return found.reshape(guess.shape)


def _links(features: NDArray[np.float32]) -> sparse.csr_matrix:
    """(pixels, pixels), symmetric."""
    number = np.arange(features.shape[0] * features.shape[1]).reshape(features.shape[:2])
    first = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    second = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    across = ((features[:, 1:] - features[:, :-1]) ** 2).sum(axis=-1).ravel()
    down = ((features[1:] - features[:-1]) ** 2).sum(axis=-1).ravel()
    squares = np.concatenate([across, down]).astype(np.float64)
    weights = np.exp(-squares / max(float(squares.mean()), 1e-9)) + _WEAKEST
    half = sparse.coo_matrix((weights, (first, second)), shape=(number.size, number.size))
    return (half + half.T).tocsr()
