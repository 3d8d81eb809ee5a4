"""Placing points by click, through the nodes with which Slicer itself says what a click does."""

from __future__ import annotations

from typing import Any

__all__ = ["Placing"]

_INTERACTION_ID = "vtkMRMLInteractionNodeSingleton"
_SELECTION_ID = "vtkMRMLSelectionNodeSingleton"


class Placing:
    """Switches place mode on for a markups node, and off again."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene

    @property
    def interactionNode(self) -> Any:
        """Its InteractionModeChangedEvent tells that the user left place mode (Esc)."""
        return self._scene.GetNodeByID(_INTERACTION_ID)

    def isPlacing(self, node: Any) -> bool:
        """Whether a click adds a point to this node."""
        interaction, selection = self.interactionNode, self._scene.GetNodeByID(_SELECTION_ID)
        if node is None or interaction is None or selection is None:
            return False
        isPlace = interaction.GetCurrentInteractionMode() == interaction.Place
        return isPlace and selection.GetActivePlaceNodeID() == node.GetID()

    def start(self, node: Any) -> None:
        """Every click adds a point to the node, until stop or Esc."""
        interaction, selection = self.interactionNode, self._scene.GetNodeByID(_SELECTION_ID)
        if interaction is None or selection is None:
            return
        selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        selection.SetActivePlaceNodeID(node.GetID())
        interaction.SetPlaceModePersistence(1)
        interaction.SetCurrentInteractionMode(interaction.Place)

    def stop(self, *nodes: Any) -> None:
        """Clicks no longer place points in any of these nodes; others' placing is left alone."""
        if any(self.isPlacing(node) for node in nodes):
            interaction = self.interactionNode
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
