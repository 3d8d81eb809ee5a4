"""The merges taken further: below the published regions their parts, above them their unions.

DiffSeg's rounds stop at one threshold. Here the merging that they began goes on in both directions
by one rule, a choice of ours: of all groups of places the two whose attention is most alike join
first (average linkage of the symmetric Kullback-Leibler divergence), anchors of one published
region before those of different ones. So the published regions are one level of a tree that runs
from an anchor's surroundings to the whole picture. No network is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from DiffusionSegLib.methods.adzus.divergence import log_of, symmetric_kl
from DiffusionSegLib.methods.adzus.regions import Regions

__all__ = ["PartTree", "build_part_tree"]

_APART = 1e6  # nats; keeps different regions apart until each is one
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PartTree:
    """leaf_of: (places,), the leaf that a place of the grid belongs to. region_of: (leaves,), the
    number of the published region of each. joins: (leaves - 1, 2), the nodes that join, in order;
    node ``leaves + n`` is made by join n. heights: (leaves - 1,), at which divergence in nats;
    they rise up to the published regions, and again from there."""

    leaf_of: NDArray[np.int64]
    region_of: NDArray[np.int64]
    joins: NDArray[np.int64]
    heights: NDArray[np.float64]

    @property
    def leaves(self) -> int:
        """Number of them; there are ``2 * leaves - 1`` nodes."""
        return len(self.region_of)

    @property
    def regions(self) -> int:
        """Number of published regions that hold places of the grid."""
        return len(np.unique(self.region_of))

    def members(self, node: int) -> list[int]:
        """The leaves below a node."""
        if node < self.leaves:
            return [node]
        first, second = self.joins[node - self.leaves]
        return self.members(int(first)) + self.members(int(second))

    def parent(self, node: int) -> int | None:
        """The node that it goes into; None for the root."""
        found = np.nonzero(self.joins == node)[0]
        return None if len(found) == 0 else self.leaves + int(found[0])

    def children(self, node: int) -> tuple[int, ...]:
        """The two nodes that it was made from; none of a leaf."""
        if node < self.leaves:
            return ()
        return tuple(int(one) for one in self.joins[node - self.leaves])

    def cut(self, count: int) -> list[int]:
        """The nodes after so many joins that ``count`` are left, 1 to ``leaves``."""
        if not 1 <= count <= self.leaves:
            raise ValueError(f"there are 1 to {self.leaves} nodes at a time, not {count}")
        done = self.leaves - count
        gone = set(self.joins[:done].ravel().tolist())
        return [node for node in range(self.leaves + done) if node not in gone]

    def places(self, node: int) -> Bools:
        """(places,): which belong to the node."""
        return np.asarray(np.isin(self.leaf_of, self.members(node)))


def build_part_tree(regions: Regions, maps: Tensor) -> PartTree:
    """maps: (places, places) of the regions' grid, rows sum to 1.

    A place belongs to the region whose proposal is highest there, and within it to the anchor whose
    map is nearest to its own. Takes some tens of milliseconds at 32 x 32 places.
    """
    region_of_place = regions.proposals.argmax(0).cpu()
    owners = torch.tensor(regions.tree.owners(regions.tree.levels - 1))
    anchors = torch.tensor(regions.tree.anchors)
    chosen = maps[anchors]
    far = symmetric_kl(maps, log_of(maps), chosen, log_of(chosen))
    far = far.masked_fill(region_of_place[:, None] != owners[None], torch.inf)
    used, leaf_of = far.argmin(1).unique(return_inverse=True)
    member = torch.nn.functional.one_hot(leaf_of).T.to(maps.dtype)
    means = (member @ maps) / member.sum(1, keepdim=True)
    region_of = owners[used].numpy()
    joins, heights = _joined(means, region_of)
    return PartTree(leaf_of.numpy(), region_of, joins, heights)


def _joined(
    means: Tensor, region_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if len(means) == 1:
        return np.zeros((0, 2), dtype=np.int64), np.zeros(0)
    log = log_of(means)
    far = symmetric_kl(means, log, means, log).clamp_min(0.0).double().numpy()
    far = (far + far.T) / 2 + _APART * (region_of[:, None] != region_of[None])
    np.fill_diagonal(far, 0.0)
    table = linkage(squareform(far, checks=False), "average")
    heights = table[:, 2] - _APART * (table[:, 2] >= _APART / 2)
    return table[:, :2].astype(np.int64), heights
