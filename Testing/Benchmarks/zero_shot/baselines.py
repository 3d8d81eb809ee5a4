"""The algorithms to beat, by name; their defaults were chosen once for all sets (tuning.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import SimpleITK as sitk

from Testing.Benchmarks.zero_shot.disc import Disc
from Testing.Benchmarks.zero_shot.grabcut import GrabCut
from Testing.Benchmarks.zero_shot.growcut import GrowCut
from Testing.Benchmarks.zero_shot.growing import ConfidenceConnected, ConnectedThreshold
from Testing.Benchmarks.zero_shot.outliner import Outliner
from Testing.Benchmarks.zero_shot.walker import RandomWalker

BASELINES: Mapping[str, Callable[[], Outliner]] = {
    "disc": Disc,
    "grabcut": GrabCut,
    "random-walker": RandomWalker,
    "growcut": GrowCut,
    "connected-threshold": ConnectedThreshold,
    "confidence-connected": ConfidenceConnected,
}

# Those that look at the image, and so set the bar.
RIVALS = tuple(name for name in BASELINES if name != "disc")


def share_threads(threads: int) -> None:
    """How many threads OpenCV and ITK may take; torch has its own setting."""
    cv2.setNumThreads(threads)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
