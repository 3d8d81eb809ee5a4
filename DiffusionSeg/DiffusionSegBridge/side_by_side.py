"""An image beside the one that was outlined, and the views as they were afterwards."""

from __future__ import annotations

from collections.abc import Callable

from DiffusionSegBridge.nodes import Node, Scene, currentScene

__all__ = ["SideBySide"]

_LEFT, _RIGHT = "Red", "Yellow"


class SideBySide:
    """Shows a second image in the right one of two slice views at the same place.

    The layout, the right view's place and its images come back with `restore`, unless the user has
    chosen others since; a scene without these views is left as it is.
    """

    def __init__(self, scene: Scene = None) -> None:
        self._scene = currentScene(scene)
        self._undo: list[Callable[[], None]] = []

    @property
    def isShown(self) -> bool:
        """Whether there is something to restore."""
        return bool(self._undo)

    def show(self, volumeNode: Node) -> None:
        """Show this volume on the right, in the orientation and at the place of the left view."""
        self.restore()
        layout = self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        if layout is not None:
            earlier, ours = layout.GetViewArrangement(), layout.SlicerLayoutSideBySideView

            def back() -> None:
                if layout.GetViewArrangement() == ours:
                    layout.SetViewArrangement(earlier)

            self._undo.append(back)
            layout.SetViewArrangement(ours)
        left, right = (self._view("vtkMRMLSliceNode", name) for name in (_LEFT, _RIGHT))
        if left is not None and right is not None:
            self._follow(left, right)
        for name in (_LEFT, _RIGHT):
            composite = self._view("vtkMRMLSliceCompositeNode", name)
            if composite is not None:
                self._link(composite)
                if name == _RIGHT:
                    self._fill(composite, volumeNode)

    def restore(self) -> None:
        """Put everything back; may be called again, and after the scene was closed."""
        undo, self._undo = self._undo, []
        for action in reversed(undo):
            action()

    def _follow(self, left: Node, right: Node) -> None:
        import vtk

        place, fieldOfView = vtk.vtkMatrix4x4(), list(right.GetFieldOfView())
        place.DeepCopy(right.GetSliceToRAS())
        orientation = right.GetOrientation()

        def back() -> None:
            right.GetSliceToRAS().DeepCopy(place)
            right.SetFieldOfView(*fieldOfView)
            right.SetOrientation(orientation)
            right.UpdateMatrices()

        self._undo.append(back)
        right.GetSliceToRAS().DeepCopy(left.GetSliceToRAS())
        right.SetFieldOfView(*left.GetFieldOfView())
        right.UpdateMatrices()

    def _link(self, composite: Node) -> None:
        """Both views scroll and zoom together."""
        linked = composite.GetLinkedControl()
        self._undo.append(lambda: composite.SetLinkedControl(linked))
        composite.SetLinkedControl(True)

    def _fill(self, composite: Node, volumeNode: Node) -> None:
        earlier = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()
        shown = volumeNode.GetID()

        def back() -> None:
            if composite.GetBackgroundVolumeID() not in (shown, None):
                return
            background, foreground = (self._present(nodeId) for nodeId in earlier)
            composite.SetBackgroundVolumeID(background)
            composite.SetForegroundVolumeID(foreground)

        self._undo.append(back)
        composite.SetBackgroundVolumeID(volumeNode.GetID())
        composite.SetForegroundVolumeID(None)

    def _present(self, nodeId: str | None) -> str | None:
        return nodeId if nodeId and self._scene.GetNodeByID(nodeId) is not None else None

    def _view(self, kind: str, name: str) -> Node:
        count = self._scene.GetNumberOfNodesByClass(kind)
        nodes = [self._scene.GetNthNodeByClass(index, kind) for index in range(count)]
        return next((node for node in nodes if node.GetLayoutName() == name), None)
