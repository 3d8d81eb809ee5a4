"""Where a node lies in the world: its parent transforms as one matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.nodes import Node, nodeName
from DiffusionSegLib.errors import GeometryError

__all__ = ["arrayFromMatrix", "matrixFromArray", "worldMatrix"]


def arrayFromMatrix(matrix: Node) -> NDArray[np.float64]:
    """A copy (4, 4) of a vtkMatrix4x4."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def matrixFromArray(array: NDArray[np.float64]) -> Node:
    """A vtkMatrix4x4 of a (4, 4) array."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, dtype=np.float64).ravel().tolist())
    return matrix


def worldMatrix(node: Node) -> NDArray[np.float64]:
    """(4, 4) from the node's own frame to world RAS mm; raises GeometryError when not linear."""
    import slicer
    import vtk

    parent = node.GetParentTransformNode()
    if parent is not None and not parent.IsTransformToWorldLinear():
        raise GeometryError(
            f"{nodeName(node)!r} is under the non-linear transform {nodeName(parent)!r}, which "
            "bends the voxel grid; harden the transform first (Data module, right click on the "
            "node, 'Harden transform')."
        )
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(parent, None, matrix)
    return arrayFromMatrix(matrix)
