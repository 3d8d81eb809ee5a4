"""Probability, uncertainty and auxiliary images as volumes to lay over the image."""

from __future__ import annotations

from DiffusionSegBridge.nodes import Node, Scene
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = ["auxiliaryVolume", "probabilityVolume", "removeOverlays", "shown", "uncertaintyVolume"]


def probabilityVolume(proposal: Proposal, volumeNode: Node) -> Node:
    """A scalar volume in [0, 1]: the probability of all labels together, clear below 0.05."""
    raise NotImplementedError


def uncertaintyVolume(proposal: Proposal, volumeNode: Node) -> Node | None:
    """A scalar volume of the spread between what was drawn; None when the method gives none."""
    raise NotImplementedError


def auxiliaryVolume(proposal: Proposal, name: str, volumeNode: Node) -> Node:
    """A volume of one of `proposal.auxiliary`; raises UnknownNameError."""
    raise NotImplementedError


def shown(node: Node, visible: bool) -> None:
    """Lay an overlay over all slice views, or take it away and put back what was there."""
    raise NotImplementedError


def removeOverlays(scene: Scene = None) -> None:
    """Remove all overlays with their colour tables and display nodes."""
    raise NotImplementedError
