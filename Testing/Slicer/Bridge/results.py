"""Proposals and volumes for the tests of the result side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

SHAPE = (9, 14, 18)
_NAMES = ((1, "tumor"), (2, "edema"))


def volume(scene: Any, matrix: Any = None, shape: tuple[int, int, int] = SHAPE) -> Any:
    """A CT-like volume node "CT" whose voxel (k, j, i) has the value 100 k + j."""
    import slicer

    values = 100 * np.arange(shape[0])[:, None, None] + np.arange(shape[1])[:, None]
    array = np.broadcast_to(values, shape).astype(np.int16)
    return slicer.util.addVolumeFromArray(
        array, np.diag([0.7, 0.9, 2.5, 1.0]) if matrix is None else matrix, "CT"
    )


def ball(
    shape: Sequence[int] = SHAPE, center: Sequence[float] | None = None, radius: float = 1.0
) -> NDArray[np.float32]:
    """A smooth bump: 1 in the middle, 1/2 at a third of the half axes times the radius."""
    middle = [count / 2 for count in shape] if center is None else center
    grid = np.meshgrid(*[np.arange(count, dtype=float) for count in shape], indexing="ij")
    squared = sum(
        ((axis - c) / (count / 3 * radius)) ** 2
        for axis, c, count in zip(grid, middle, shape, strict=True)
    )
    return np.clip(1.5 - np.sqrt(squared), 0.0, 1.0).astype(np.float32)


def proposal(
    volumeNode: Any,
    probability: NDArray[Any] | None = None,
    state: Verdict = Verdict.FOUND,
    **more: Any,
) -> Proposal:
    """A proposal for the volume; probability (labels, k, j, i), a ball by default."""
    geometry = worldGeometry(volumeNode)
    array = ball(geometry.shape_kji)[np.newaxis] if probability is None else probability
    grid = (
        geometry if array.shape[1:] == geometry.shape_kji else geometry.with_shape(array.shape[1:])
    )
    labels = tuple(label_for(n, name) for n, name in _NAMES[: len(array)])
    verdict = PresenceVerdict(state, 0.9 if state is Verdict.FOUND else 0.2, "It says so.")
    prompt = {"text": more.pop("text")} if "text" in more else {}
    provenance = Provenance("cdal", "cdal/toy", seed=7, prompt=prompt)
    return Proposal(Image(array, grid), labels, verdict, provenance, geometry=geometry, **more)


def maskOf(array: NDArray[Any], geometry: Geometry) -> Mask:
    """A mask with the labels of `proposal`."""
    labels = tuple(label_for(n, name) for n, name in _NAMES)
    return Mask(array.astype(np.uint8), geometry, labels)


def candidateOf(array: NDArray[Any], geometry: Geometry) -> Candidate:
    """A candidate with the labels of `proposal`."""
    return Candidate(maskOf(array, geometry), 0.5, "another")
