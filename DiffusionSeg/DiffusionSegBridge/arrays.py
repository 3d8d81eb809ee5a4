"""The voxels of a vtkImageData as a numpy array, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.nodes import Node

__all__ = ["scalarsFromArray", "viewOfScalars"]


def viewOfScalars(imageData: Node) -> NDArray[Any]:
    """The voxels (k, j, i, components), shared with VTK: do not keep it, do not write to it."""
    from vtk.util.numpy_support import vtk_to_numpy

    scalars = imageData.GetPointData().GetScalars()
    columns, rows, slices = imageData.GetDimensions()
    shape = (slices, rows, columns, scalars.GetNumberOfComponents())
    return np.asarray(vtk_to_numpy(scalars)).reshape(shape)


def scalarsFromArray(array: NDArray[Any], imageData: Node) -> None:
    """Make a copy of (k, j, i, components) the voxels of `imageData`, whose size must fit."""
    from vtk.util.numpy_support import numpy_to_vtk

    values = np.ascontiguousarray(array).reshape(-1, array.shape[-1])
    scalars = numpy_to_vtk(values, deep=1)
    scalars.SetName("ImageScalars")
    imageData.GetPointData().SetScalars(scalars)
