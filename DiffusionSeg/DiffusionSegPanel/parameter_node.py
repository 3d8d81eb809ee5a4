"""What is saved with the scene: the volumes, the prompts and the settings of the study."""

# No postponed annotations here: Slicer's wrapper reads the types of the class below.
import enum
from typing import Annotated

from slicer import (
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLMarkupsROINode,
    vtkMRMLSegmentationNode,
    vtkMRMLVolumeNode,
)
from slicer.parameterNodeWrapper import Default, WithinRange, parameterNodeWrapper

__all__ = ["DiffusionSegParameterNode", "RegionMode"]


class RegionMode(enum.Enum):
    """Where to look for the structure."""

    WHOLE = "whole"
    REGION = "region"
    SLICE = "slice"


@parameterNodeWrapper
class DiffusionSegParameterNode:
    """The parameters of the module, saved with the scene and usable on another volume.

    method, model: names as the worker describes them ("" for its default). samples: 0 for the
    model's own number. parametersJson: {method: {parameter: value}}, only what differs from the
    default. sliceViewName: the slice view meant by RegionMode.SLICE. scribbleSegmentId: a segment
    of scribbleSegmentation, used when useScribble is set. radiusMm: with keepNearClicks, changes
    stay within this distance of the clicks.
    """

    inputVolume: vtkMRMLVolumeNode
    secondVolume: vtkMRMLVolumeNode
    method: str
    model: str
    text: str
    includePoints: vtkMRMLMarkupsFiducialNode
    excludePoints: vtkMRMLMarkupsFiducialNode
    box: vtkMRMLMarkupsROINode
    region: vtkMRMLMarkupsROINode
    regionMode: Annotated[RegionMode, Default(RegionMode.WHOLE)]
    sliceViewName: Annotated[str, Default("Red")]
    useScribble: bool
    scribbleSegmentation: vtkMRMLSegmentationNode
    scribbleSegmentId: str
    threshold: Annotated[float, WithinRange(0.0, 1.0), Default(0.5)]
    targetSegmentation: vtkMRMLSegmentationNode
    keepNearClicks: bool
    radiusMm: Annotated[float, WithinRange(0.0, 1000.0), Default(20.0)]
    seed: Annotated[int, WithinRange(0, 2147483647)]
    samples: Annotated[int, WithinRange(0, 1000)]
    parametersJson: Annotated[str, Default("{}")]
