"""What was merged into what, so that a region can be taken apart again. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MergeRound", "MergeTree"]


@dataclass(frozen=True)
class MergeRound:
    """parents[i]: the proposal after the round that proposal i before it was matched by.

    heights[i]: its symmetric KL divergence, in nats, to the proposal that matched it; 0 for the
    one that did the matching. The published mean also takes in proposals matched earlier; a
    proposal belongs to the first that matched it, which makes the merges a tree.
    """

    parents: tuple[int, ...]
    heights: tuple[float, ...]


@dataclass(frozen=True)
class MergeTree:
    """Level 0 are the anchors (places of the attention grid), level n what round n + 1 left."""

    anchors: tuple[int, ...]
    rounds: tuple[MergeRound, ...] = ()

    @property
    def levels(self) -> int:
        """Number of levels: one more than rounds that merged."""
        return len(self.rounds) + 1

    def sizes(self, level: int) -> list[int]:
        """How many anchors each proposal of a level stems from."""
        owner = self.owners(level)
        return [owner.count(proposal) for proposal in range(max(owner) + 1)]

    def owners(self, level: int) -> list[int]:
        """For each anchor the proposal of that level that it went into."""
        if not 0 <= level < self.levels:
            raise ValueError(f"levels are 0 to {self.levels - 1}, not {level}")
        owner = list(range(len(self.anchors)))
        for turn in self.rounds[:level]:
            owner = [turn.parents[one] for one in owner]
        return owner

    def children(self, level: int, proposal: int) -> list[int]:
        """The proposals of the level below that one of ``level`` (1 or more) was merged from."""
        if not 1 <= level < self.levels:
            raise ValueError(f"levels with children are 1 to {self.levels - 1}, not {level}")
        parents = self.rounds[level - 1].parents
        return [child for child, parent in enumerate(parents) if parent == proposal]
