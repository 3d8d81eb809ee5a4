"""What tells a tumor's region from others, in numbers that mean the same in every kind of scan.

Our choice. Shades are measured against the body's own, sizes against the slice, so that a rule
learned on some kinds of tumors can be used on one that was never shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.diffugts.region_candidates import BODY

__all__ = ["FEATURES", "MAP_FEATURES", "SliceFacts", "region_features", "region_zones"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

FEATURES = (
    "size in the slice", "size in the body", "brighter than around", "unlike around",
    "unlike around, in its spread", "texture", "texture around", "brighter than the body",
    "unlike the body", "rank of its shade", "edge", "inner edges", "edge over inner edges",
    "roundness", "filling of its ellipse", "narrowness", "at the slice's border", "air around",
    "depth", "least depth", "off the body's middle", "in the body", "shade", "shade around",
    "body in the slice", "closed edge", "map inside", "map inside over around", "map's peak",
)  # fmt: skip
MAP_FEATURES = 3  # the last ones
_BORDER, _AROUND = 2, 6  # pixels from a region's border to where its surroundings begin and end
_SMALLEST_SPREAD = 0.03
_STRONG_EDGE = 0.6  # quantile of the gradient nearby


@dataclass(frozen=True)
class SliceFacts:
    """What all regions of a slice have in common. map: logits of the anomaly map."""

    slice_: Floats
    map: Floats
    gradient: Floats
    rank: Floats
    body: Bools
    depth: Floats
    middle: tuple[float, float]
    mean: float
    spread: float

    @staticmethod
    def of(slice_: Floats, map_logits: Floats) -> SliceFacts:
        """slice_: (rows, columns) in [0, 1]; map_logits: of the same shape."""
        smooth = ndimage.gaussian_filter(slice_, 1.0)
        body = _largest_part(ndimage.binary_fill_holes(smooth > BODY))
        if not body.any():
            body = np.ones_like(body)
        depth = ndimage.distance_transform_edt(np.pad(body, 1))[1:-1, 1:-1]
        rank = np.empty(slice_.size, np.float32)
        rank[np.argsort(smooth, axis=None)] = np.arange(slice_.size) / slice_.size
        rows, columns = np.nonzero(body)
        inside = slice_[body]
        return SliceFacts(
            slice_,
            map_logits,
            np.hypot(*np.gradient(smooth)).astype(np.float32),
            rank.reshape(slice_.shape),
            body,
            depth.astype(np.float32),
            (float(rows.mean()), float(columns.mean())),
            float(inside.mean()),
            max(_SMALLEST_SPREAD, float(inside.std())),
        )


def region_features(facts: SliceFacts, regions: Bools) -> Floats:
    """(n, features) of regions (n, rows, columns), in the order of FEATURES."""
    if not len(regions):
        return np.zeros((0, len(FEATURES)), np.float32)
    return np.array([_of_region(facts, region) for region in regions], np.float32)


def region_zones(facts: SliceFacts, whole: Bools) -> tuple[Bools, Bools]:
    """(rows, columns) each: the region without its border, and the body around it, of which the map
    features tell."""
    near = _nearby(whole)
    zones = (np.zeros_like(whole), np.zeros_like(whole))
    for zone, part in zip(zones, _zones(facts, whole[near], near)[:2], strict=True):
        zone[near] = part
    return zones


def _of_region(facts: SliceFacts, whole: Bools) -> list[float]:
    near = _nearby(whole)
    region = whole[near]
    core, around, ring, close, wide = _zones(facts, region, near)
    inner = ndimage.binary_erosion(region)
    edge = close & ~inner
    return [
        *_sizes(facts, whole),
        *_shades(facts, near, core, around),
        *_edges(facts, near, core, edge, wide),
        *_shape(whole, int((region & ~inner).sum())),
        float((ring & ~facts.body[near]).sum() / max(1, ring.sum())),
        *_place(facts, whole, near, region),
        *_levels(facts, near, core, around),
        _closed(facts.gradient[near], edge, wide),
        *_map(facts.map[near], core, around),
    ]


def _zones(
    facts: SliceFacts, region: Bools, near: tuple[slice, ...]
) -> tuple[Bools, Bools, Bools, Bools, Bools]:
    """core, around, ring, close and wide surroundings, within the box near the region."""
    core = ndimage.binary_erosion(region)
    core = core if core.sum() > 8 else region
    close = ndimage.binary_dilation(region, iterations=_BORDER)
    wide = ndimage.binary_dilation(close, iterations=_AROUND - _BORDER)
    ring = wide & ~close
    return core, ring & facts.body[near], ring, close, wide


def _sizes(facts: SliceFacts, whole: Bools) -> list[float]:
    size = whole.sum()
    return [float(np.log(size / whole.size)), float(np.log(size / facts.body.sum()))]


def _shades(facts: SliceFacts, near: tuple[slice, ...], core: Bools, around: Bools) -> list[float]:
    inside, outside = facts.slice_[near][core], facts.slice_[near][around]
    shade, texture = float(inside.mean()), float(inside.std())
    mean, spread, median = 0.0, 0.0, 0.0
    if outside.size:
        mean, spread = float(outside.mean()), float(outside.std())
        median = float(np.median(outside))
    step, apart = (shade - mean) / facts.spread, (shade - facts.mean) / facts.spread
    unlike = (shade - median) / max(_SMALLEST_SPREAD, spread)
    rank = float(facts.rank[near][core].mean())
    return [
        step, abs(step), unlike, texture / facts.spread, spread / facts.spread, apart, abs(apart),
        rank,
    ]  # fmt: skip


def _edges(
    facts: SliceFacts, near: tuple[slice, ...], core: Bools, edge: Bools, wide: Bools
) -> list[float]:
    gradient = facts.gradient[near]
    outer, inner = float(gradient[edge].mean()), float(gradient[core].mean())
    return [4 * outer / facts.spread, 4 * inner / facts.spread, outer / (inner + 0.005)]


def _shape(whole: Bools, perimeter: int) -> list[float]:
    rows, columns = np.nonzero(whole)
    size = len(rows)
    spread = np.cov(np.stack([rows, columns])) if size > 3 else np.eye(2)
    axes = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0.25))
    last = np.asarray(whole.shape) - 1
    touching = (rows == 0).sum() + (rows == last[0]).sum()
    touching += (columns == 0).sum() + (columns == last[1]).sum()
    return [
        min(4 * np.pi * size / max(1, perimeter) ** 2, 2.0),
        min(float(size / (4 * np.pi * axes[0] * axes[1])), 1.5),
        float(axes[1] / axes[0]),
        float(touching / max(1, perimeter)),
    ]


def _place(facts: SliceFacts, whole: Bools, near: tuple[slice, ...], region: Bools) -> list[float]:
    depth = facts.depth[near][region] * 8 / max(whole.shape)
    rows, columns = np.nonzero(whole)
    away = np.hypot(rows.mean() - facts.middle[0], columns.mean() - facts.middle[1])
    inside = float(facts.body[near][region].mean())
    return [
        float(depth.mean()), float(depth.min()), float(away / np.sqrt(facts.body.sum())), inside,
    ]  # fmt: skip


def _levels(facts: SliceFacts, near: tuple[slice, ...], core: Bools, around: Bools) -> list[float]:
    outside = facts.slice_[near][around]
    return [
        float(facts.slice_[near][core].mean()),
        float(outside.mean()) if outside.size else 0.0,
        float(facts.body.mean()),
    ]


def _closed(gradient: Floats, edge: Bools, wide: Bools) -> float:
    """Share of the border that is a strong edge, as edges nearby go."""
    strong = gradient > np.quantile(gradient[wide], _STRONG_EDGE)
    return float((edge & strong).sum() / max(1, edge.sum()))


def _map(logits: Floats, core: Bools, around: Bools) -> list[float]:
    inside = float(logits[core].mean())
    outside = float(logits[around].mean()) if around.any() else inside
    return [inside, inside - outside, float(logits[core].max())]


def _nearby(whole: Bools) -> tuple[slice, ...]:
    """A box around the region that holds all of its surroundings."""
    box = ndimage.find_objects(whole.astype(np.uint8))[0]
    more = _AROUND + 2
    return tuple(
        slice(max(0, side.start - more), min(count, side.stop + more))
        for side, count in zip(box, whole.shape, strict=True)
    )


def _largest_part(mask: Bools) -> Bools:
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    return np.asarray(labels == 1 + int(np.argmax(np.bincount(labels.reshape(-1))[1:])))
