"""The module's own check: a bundled sample against its known outline."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DiffusionSegBridge.segments import readSegments
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegPanel.sample_data import sampleEntries, samplesFolder

__all__ = ["checkSample"]


def checkSample(logic: Any, index: int = 0, **options: Any) -> float:
    """Dice of all labels together for one sample, outlined by ``logic.segment``."""
    folder, entry = samplesFolder(), sampleEntries()[index]
    if folder is None:
        raise FileNotFoundError("The sample images are not installed.")
    volumes = [slicer.util.loadVolume(str(folder / name)) for name in entry["images"]]
    method, _, model = entry["model"].partition("/")
    segmentation = logic.segment(volumes, method=method, model=model, **options)
    truth = slicer.util.loadVolume(str(folder / entry["label"]), {"labelmap": True})
    expected = slicer.util.arrayFromVolume(truth) > 0
    ids = segmentation.GetSegmentation().GetSegmentIDs()
    byValue = dict(enumerate(ids, start=1))
    found = readSegments(segmentation, byValue, worldGeometry(volumes[0])).array > 0
    return float(2 * np.logical_and(found, expected).sum() / (found.sum() + expected.sum()))
