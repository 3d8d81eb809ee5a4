"""The attention maps once more, place by place in float64, from the equations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weights_of(network: Any) -> dict[str, Array]:
    return {name: value.double().numpy() for name, value in network.state_dict().items()}


def gelu(values: Array) -> Array:
    return values * 0.5 * (1 + np.vectorize(math.erf)(values / math.sqrt(2)))


def softmax(values: Array, axis: int) -> Array:
    grown = np.exp(values - values.max(axis=axis, keepdims=True))
    return grown / grown.sum(axis=axis, keepdims=True)


def line(values: Array, weights: dict[str, Array], name: str) -> Array:
    """A linear layer on the first axis; convolutions of one place are the same."""
    matrix = weights[f"{name}.weight"]
    found = np.tensordot(matrix.reshape(matrix.shape[0], -1), values, axes=(1, 0))
    bias = weights.get(f"{name}.bias")
    return found if bias is None else found + bias.reshape(-1, *[1] * (found.ndim - 1))


def neighborhood(values: Array, reach: int) -> Array:
    """(C, *places): the mean of every cube cut at the border."""
    half, found = reach // 2, np.empty_like(values)
    for place in np.ndindex(values.shape[1:]):
        cube = tuple(slice(max(0, n - half), n + half + 1) for n in place)
        part = values[(slice(None), *cube)]
        found[(slice(None), *place)] = part.reshape(len(values), -1).mean(axis=1)
    return found


def interpolated(values: Array, places: Sequence[int]) -> Array:
    """(C, *places), linearly between the centers of places; flat beyond the outermost."""
    old = values.shape[1:]
    found = np.zeros((len(values), *places))
    for place in np.ndindex(*places):
        low, share = [], []
        for at, new, had in zip(place, places, old, strict=True):
            source = min(max((at + 0.5) * had / new - 0.5, 0.0), had - 1.0)
            low.append(min(int(source), max(0, had - 2)))
            share.append(source - low[-1])
        for corner in itertools.product((0, 1), repeat=len(old)):
            part = math.prod(s if c else 1 - s for s, c in zip(share, corner, strict=True))
            near = tuple(min(n + c, had - 1) for n, c, had in zip(low, corner, old, strict=True))
            found[(slice(None), *place)] += part * values[(slice(None), *near)]
    return found


def adapted(features: Array, weights: dict[str, Array], reach: Sequence[int]) -> Array:
    """F' = α T(F) + (1 − α) F, with normalized F and its neighborhoods."""
    plain = (features - features.mean()) / np.sqrt(features.var() + 1e-5)
    shape = (-1, *[1] * (features.ndim - 1))
    plain = plain * weights["norm.weight"].reshape(shape) + weights["norm.bias"].reshape(shape)
    told = np.concatenate([plain, *(neighborhood(plain, one) for one in reach)])
    changed = line(gelu(line(told, weights, "first")), weights, "last")
    ratio = float(weights["ratio"])
    return ratio * changed + (1 - ratio) * plain


def part(weights: dict[str, Array], name: str) -> dict[str, Array]:
    return {key[len(name) + 1 :]: v for key, v in weights.items() if key.startswith(f"{name}.")}


def keys_of(texts: Array, weights: dict[str, Array]) -> Array:
    """(width, N) of (N, text_width)."""
    inner = gelu(line(texts.T, weights, "reduce.0"))
    reduced = line(inner, weights, "reduce.2")
    reduced = (reduced - reduced.mean(axis=0)) / np.sqrt(reduced.var(axis=0) + 1e-5)
    reduced = reduced * weights["reduce.3.weight"][:, None] + weights["reduce.3.bias"][:, None]
    return line(reduced, weights, "key")


def slow_maps(network: Any, features: Sequence[Array], texts: Array) -> tuple[Any, Any, Any, Any]:
    """maps (N, *places), logits, classes (N, text_width), anomaly, of one item's features."""
    weights = weights_of(network)
    queries, places = [], features[0].shape[1:]
    logits = np.zeros((len(texts), *places))
    for number, own in enumerate(features):
        level = part(weights, f"levels.{number}")
        adapter = adapted(own, part(level, "adapter"), network.config.reach)
        query, key = line(adapter, level, "query"), keys_of(texts, level)
        score = np.tensordot(key, query, axes=(0, 0)) / math.sqrt(network.config.width)
        logits += weights["weights"][number] * interpolated(score, places)
        queries.append(query)
    logits += weights["bias"].reshape(-1, *[1] * len(places))
    maps = softmax(logits, 0)
    pooled = []
    for query in queries:
        share = interpolated(maps, query.shape[1:]).reshape(len(texts), -1)
        pooled.append(share @ query.reshape(len(query), -1).T / share.sum(axis=1, keepdims=True))
    hidden = gelu(line(np.concatenate(pooled, axis=1).T, weights, "classes.0"))
    classes = line(hidden, weights, "classes.2").T
    top = gelu(line(classes.max(axis=0), weights, "anomaly.0"))
    return maps, logits, classes, float(line(top, weights, "anomaly.2")[0])
