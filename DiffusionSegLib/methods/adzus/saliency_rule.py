"""No prompt, one object: of all nodes of the tree the one that stands out most; a rule of ours.

A photograph of a mole or of a stained cell shows one thing, of another color than what is around
it, in one piece, near the middle and not cut off by the frame. Each of these is a number in [0, 1];
their weighted geometric mean says how much a part of the picture stands out; of parts that stand
out alike the larger is taken. Nothing of it was learned; SALIENCY_WEIGHTS and the preference for
large parts were set by hand on the eight validation images of skin lesions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.neighbors import diagonal_pairs, straight_pairs
from DiffusionSegLib.methods.adzus.part_tree import PartTree, build_part_tree
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneCandidate, PlaneOutline
from DiffusionSegLib.methods.adzus.refine_rule import refine_plane
from DiffusionSegLib.methods.adzus.regions import Regions
from DiffusionSegLib.methods.adzus.standing_alone import cohesion, edge_support, overlap

__all__ = ["RULE", "SALIENCY_WEIGHTS", "Saliency", "measure_saliency", "outline_salient"]

Bools = NDArray[np.bool_]
RULE = "no prompt: the part of the picture that stands out most"
_MOST_NODES = 24  # at a time, of the tree's levels that are looked at
_SMALLEST, _LARGEST = 0.005, 0.6  # shares of the picture
_MOST_CANDIDATES = 5
_SAME = 0.7  # intersection over union
_SIZE = 0.1  # the logarithm of the factor by which twice the area is better, slider in the middle
_SLIDER = 0.3  # what the slider's ends take from it and add to it


@dataclass(frozen=True)
class Saliency:
    """Each in [0, 1], higher for what stands out; as weights, the exponents.

    contrast: how far its mean color is from that of what is around it, d / (d + s), with the spread
    s of colors within both. inside: 1 when nothing touches the frame, 0 when a quarter of a
    square's outline would. compact: 4πA/P², 1 for a disc. middle: 1 in the middle, 0 in a corner.
    edges, cohesion: see standing_alone.
    """

    contrast: float
    inside: float
    compact: float
    middle: float
    edges: float
    cohesion: float

    def weighted(self, weights: Saliency) -> float:
        """The weighted geometric mean, in [0, 1]."""
        names = [field.name for field in fields(self)]
        values = np.array([max(getattr(self, name), 1e-6) for name in names])
        powers = np.array([getattr(weights, name) for name in names])
        return float(np.exp((powers * np.log(values)).sum() / powers.sum()))


SALIENCY_WEIGHTS = Saliency(
    contrast=2.0, inside=2.0, compact=1.0, middle=2.0, edges=2.0, cohesion=2.0
)


def outline_salient(plane: Plane, regions: Regions, granularity: float = 0.5) -> PlaneOutline:
    """score: how much the outline stands out, low when nothing does. An empty outline when no part
    of the picture has a size that could be meant. granularity in [0, 1]: 0 favors small parts, 1
    large ones. Candidates are the next ones that differ. No network is asked."""
    tree = build_part_tree(regions, plane.attention.walk)
    masks = list(_parts(plane, tree))
    if not masks:
        return PlaneOutline(np.zeros(plane.canvas.size, dtype=np.float32), 0.0, RULE)
    found = [measure_saliency(mask, plane).weighted(SALIENCY_WEIGHTS) for mask in masks]
    favor = _SIZE + _SLIDER * (2 * granularity - 1)
    sizes = np.array([np.log2(mask.mean()) for mask in masks])
    order = np.argsort(-(np.log(found) + favor * sizes), kind="stable")
    kept: list[int] = []
    for number in order.tolist():
        if len(kept) <= _MOST_CANDIDATES and all(
            overlap(masks[number], masks[one]) <= _SAME for one in kept
        ):
            kept.append(number)
    others = tuple(
        PlaneCandidate(masks[one], found[one], f"part {place} of what stands out")
        for place, one in enumerate(kept[1:], start=2)
    )
    nowhere = np.zeros(plane.canvas.size, dtype=bool)
    refined = refine_plane(plane, masks[kept[0]], nowhere, nowhere)
    return PlaneOutline(refined.probability, found[kept[0]], RULE, others)


def measure_saliency(mask: Bools, plane: Plane) -> Saliency:
    """mask: (rows, columns) of the canvas."""
    canvas = plane.canvas
    return Saliency(
        contrast=_contrast(mask, canvas),
        inside=_inside(mask),
        compact=_compact(mask),
        middle=_middle(mask),
        edges=edge_support(mask, canvas),
        cohesion=cohesion(mask, plane),
    )


def _parts(plane: Plane, tree: PartTree) -> Iterator[Bools]:
    """Connected parts, without their holes, of the nodes of coarse levels and of their
    complements: what is around an object is often one node, and the object several."""
    levels = range(2, min(_MOST_NODES, tree.leaves) + 1)
    nodes = {node for count in levels for node in tree.cut(count)}
    seen: set[bytes] = set()
    for node in sorted(nodes):
        inside = plane.enlarge(tree.places(node).astype(np.float32)) >= 0.5
        for mask in (inside, ~inside):
            labels, count = ndimage.label(mask)
            areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
            for number in np.flatnonzero(areas >= _SMALLEST * mask.size):
                filled = ndimage.binary_fill_holes(labels == number + 1)
                key = filled.tobytes()
                if filled.mean() <= _LARGEST and key not in seen:
                    seen.add(key)
                    yield np.asarray(filled)


def _contrast(mask: Bools, canvas: Canvas) -> float:
    inside, outside = canvas.color[mask], canvas.color[~mask]
    if len(inside) == 0 or len(outside) == 0:
        return 0.0
    apart = float(np.linalg.norm(inside.mean(0) - outside.mean(0)))
    spread = float(np.sqrt((inside.var(0) + outside.var(0)).sum()))
    return apart / (apart + spread + 1.0)


def _inside(mask: Bools) -> float:
    touching = sum(int(line.sum()) for line in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    return float(np.clip(1 - touching / max(1.0, np.sqrt(mask.sum())), 0.0, 1.0))


def _compact(mask: Bools) -> float:
    padded = np.pad(mask, 1).astype(np.int8)
    straight, diagonal = (
        int((first != second).sum())
        for first, second in (straight_pairs(padded), diagonal_pairs(padded))
    )
    length = np.pi / 8 * (straight + diagonal / np.sqrt(2))
    return float(np.clip(4 * np.pi * mask.sum() / max(length, 1.0) ** 2, 0.0, 1.0))


def _middle(mask: Bools) -> float:
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return 0.0
    half = np.array(mask.shape) / 2
    off = np.array([rows.mean() + 0.5, columns.mean() + 0.5]) - half
    return float(1 - np.linalg.norm(off) / np.linalg.norm(half))
