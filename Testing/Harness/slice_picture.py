"""What a slice view would show, without OpenGL.

Volumes go through Slicer's own slice logic: interpolation, window, colors and blending are real.
Segments, which Slicer draws with OpenGL, are painted over it: filled lightly, outlined fully.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

BARS = {"Red": (243, 74, 51), "Green": (110, 176, 75), "Yellow": (237, 213, 76)}
BAR = 6  # pixels of the colored bar above each view
_DOT, _NEAR, _INCLUDED = 4.5, 1.0, (90, 220, 90)  # radius in pixels; in slices

Picture = NDArray[np.uint8]


def slice_picture(name: str, width: int, height: int, center_ras: Any) -> Picture:
    """(height, width, 3) of the view `name` ("Red", "Green", "Yellow") through a world point."""
    widget = slicer.app.layoutManager().sliceWidget(name)
    logic, node = widget.sliceLogic(), widget.mrmlSliceNode()
    node.SetDimensions(width, height - BAR, 1)
    logic.FitSliceToAll(width, height - BAR)
    node.JumpSliceByOffsetting(*[float(value) for value in center_ras])
    logic.UpdatePipeline()
    picture = _rendered(logic)
    for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        _paint_segments(picture, segmentation, _matrix(node.GetXYToRAS()))
    bar = np.full((BAR, width, 3), BARS[name], np.uint8)
    return np.concatenate([bar, picture[::-1]])


def mark_points(picture: Picture, name: str, points: Any) -> None:
    """A dot on a picture that `slice_picture` made of the view `name`, for every control point that
    lies on its slice."""
    node = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
    to_xy = np.linalg.inv(_matrix(node.GetXYToRAS()))
    rows, columns = np.indices(picture.shape[:2])
    for number in range(points.GetNumberOfControlPoints()):
        x, y, depth, _ = to_xy @ [*points.GetNthControlPointPositionWorld(number), 1.0]
        if abs(depth) > _NEAR:
            continue
        distance = np.hypot(columns - x, rows - (len(picture) - 1 - y))
        picture[distance <= _DOT + 1.5] = 0
        picture[distance <= _DOT] = _INCLUDED


def _rendered(logic: Any) -> Picture:
    """The blended volumes over black; rows from the bottom up, as VTK has them."""
    connection = logic.GetImageDataConnection()
    connection.GetProducer().Update()
    image = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
    width, height, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
    opacity = pixels[..., 3:4] / 255.0 if pixels.shape[2] == 4 else 1.0
    return np.asarray(pixels[..., :3] * opacity, np.uint8)


def _paint_segments(picture: Picture, segmentation: Any, to_ras: NDArray[np.float64]) -> None:
    display = segmentation.GetDisplayNode()
    if display is None or not display.GetVisibility():
        return
    for segment_id in segmentation.GetSegmentation().GetSegmentIDs():
        if display.GetSegmentVisibility(segment_id):
            inside = _inside(segmentation, segment_id, picture.shape[:2], to_ras)
            color = np.array(segmentation.GetSegmentation().GetSegment(segment_id).GetColor()) * 255
            fill = display.GetSegmentOpacity2DFill(segment_id) * display.GetOpacity2DFill()
            _blend(picture, inside, color, fill * display.GetOpacity())
            _blend(picture, inside & ~_eroded(inside, 2), color, 1.0)


def _inside(
    segmentation: Any, segment_id: str, shape: tuple[int, ...], to_ras: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Where the pixels lie in the segment."""
    labelmap = segmentation.GetBinaryLabelmapInternalRepresentation(segment_id)
    inside = np.zeros(shape, bool)
    if labelmap is None or labelmap.IsEmpty():
        return inside
    image_to_world = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(image_to_world)
    to_world = vtk.vtkMatrix4x4()
    parent = segmentation.GetParentTransformNode()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(parent, None, to_world)
    rows, columns = np.indices(shape)
    points = np.stack([columns, rows, np.zeros(shape), np.ones(shape)]).reshape(4, -1)
    back = np.linalg.inv(_matrix(to_world) @ _matrix(image_to_world))
    ijk = np.rint((back @ to_ras @ points)[:3]).astype(int)
    low, high = np.array(labelmap.GetExtent()).reshape(3, 2).T
    known = np.all((ijk >= low[:, None]) & (ijk <= high[:, None]), axis=0)
    sizes = tuple(high[::-1] - low[::-1] + 1)
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(sizes)
    i, j, k = (ijk - low[:, None])[:, known]
    value = segmentation.GetSegmentation().GetSegment(segment_id).GetLabelValue()
    inside.reshape(-1)[known] = voxels[k, j, i] == value
    return inside


def _matrix(matrix: Any) -> NDArray[np.float64]:
    return np.array(slicer.util.arrayFromVTKMatrix(matrix))


def _blend(picture: Picture, where: NDArray[np.bool_], color: Any, opacity: float) -> None:
    mixed = picture[where] * (1 - opacity) + np.asarray(color) * opacity
    picture[where] = np.clip(mixed, 0, 255).astype(np.uint8)


def _eroded(inside: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    kept = inside.copy()
    for _ in range(steps):
        framed = np.pad(kept, 1)
        kept &= framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    return kept
