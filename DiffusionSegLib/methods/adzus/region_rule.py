"""Without any prompt: the regions of a slice, their parts and their unions, for the user to choose.

The slider's way from part to whole is a way through a tree that one pass gave; choices of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.part_tree import PartTree, build_part_tree
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneCandidate
from DiffusionSegLib.methods.adzus.regions import Regions, find_regions
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from DiffusionSegLib.methods.adzus.standing_alone import overlap, standing_alone
from DiffusionSegLib.progress import Progress

__all__ = ["MOST_CANDIDATES", "find_plane_regions", "nodes_at", "region_candidates"]

Bools = NDArray[np.bool_]
MOST_CANDIDATES = 12
_MOST_PARTS = 32  # nodes at the slider's end for parts
_TYPICAL = 6  # at its middle, where the published threshold leaves fewer
_FEWEST_WHOLES = 2
_SAME = 0.9  # intersection over union
_LARGEST = 0.9  # share of the canvas that a candidate may have
_KEPT = 0.5  # of its places' area; a lone place drowns among others when it is enlarged


def find_plane_regions(
    plane: Plane, settings: RegionSettings, progress: Progress | None = None
) -> Regions:
    """The published regions (DiffSeg's), numbered from 0, at the size of the canvas."""
    return find_regions(plane.attention.maps, plane.canvas.size, settings, progress)


def region_candidates(
    plane: Plane, regions: Regions, granularity: float = 0.5
) -> tuple[PlaneCandidate, ...]:
    """Up to 12 outlines, best first; see standing_alone for their scores.

    granularity in [0, 1]: 0 parts, 0.5 the regions as published, 1 wholes. Of that level of the
    tree all nodes compete, with what they consist of and what they go into, so that nested
    outlines are returned. Titles number the regions as their labels do, plus one. No network is
    asked. An empty tuple when the picture is all one.
    """
    tree = build_part_tree(regions, plane.attention.walk)
    found = ((node, _mask(plane, tree, node)) for node in _around(tree, granularity))
    scored = [(standing_alone(mask, plane), node, mask) for node, mask in found if mask is not None]
    kept: list[tuple[float, int, Bools]] = []
    for one in sorted(scored, key=lambda item: -item[0]):
        if len(kept) < MOST_CANDIDATES and all(overlap(one[2], k[2]) <= _SAME for k in kept):
            kept.append(one)
    titles = _titles(tree, [node for _, node, _ in kept])
    return tuple(
        PlaneCandidate(mask, score, title)
        for (score, _, mask), title in zip(kept, titles, strict=True)
    )


def nodes_at(tree: PartTree, granularity: float) -> list[int]:
    """The nodes of one level: at 0 four times as many as regions (at least 32), at 0.5 the regions,
    or six nodes where the published threshold left fewer, at 1 two wholes; in between by the
    logarithm."""
    middle = max(_TYPICAL, tree.regions)
    if granularity <= 0.5:
        ends = (max(_MOST_PARTS, 4 * middle), middle)
        share = 2 * granularity
    else:
        ends = (middle, _FEWEST_WHOLES)
        share = 2 * granularity - 1
    count = round(float(np.exp((1 - share) * np.log(ends[0]) + share * np.log(ends[1]))))
    return tree.cut(min(max(count, 1), tree.leaves))


def _around(tree: PartTree, granularity: float) -> list[int]:
    """The nodes of a level, their children and their parents."""
    level = nodes_at(tree, granularity)
    parents = (tree.parent(node) for node in level)
    children = (child for node in level for child in tree.children(node))
    return sorted({*level, *children, *(one for one in parents if one is not None)})


def _mask(plane: Plane, tree: PartTree, node: int) -> Bools | None:
    """(rows, columns) of the canvas; None for what is no candidate."""
    places = tree.places(node)
    mask = np.asarray(plane.enlarge(places.astype(np.float32)) >= 0.5)
    return mask if _KEPT * places.mean() <= mask.mean() <= _LARGEST else None


def _titles(tree: PartTree, nodes: Sequence[int]) -> list[str]:
    parts: Counter[int] = Counter()
    sizes = Counter(tree.region_of.tolist())
    titles = []
    for node in nodes:
        members = tree.members(node)
        regions = sorted({int(tree.region_of[leaf]) for leaf in members})
        if len(regions) > 3:
            titles.append(f"union of {len(regions)} regions")
        elif len(regions) > 1:
            names = ", ".join(str(one + 1) for one in regions[:-1])
            titles.append(f"regions {names} and {regions[-1] + 1}")
        elif len(members) == sizes[regions[0]]:
            titles.append(f"region {regions[0] + 1}")
        else:
            parts[regions[0]] += 1
            whole = f" of region {regions[0] + 1}" if tree.regions > 1 else ""
            titles.append(f"part {parts[regions[0]]}{whole}")
    return titles
