"""From marks on a few slices of a volume to a body: outline, follow, blend, fill."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.adzus.exclusion_cut import OutlineOf
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.slice_sight import SliceSight
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.methods.adzus.volume_filling import fill_gap, keep_clicked, smooth_slices
from DiffusionSegLib.methods.adzus.volume_outline import VolumeOutline
from DiffusionSegLib.methods.adzus.volume_spreading import PlaneOf, Spreading
from DiffusionSegLib.progress import Progress

__all__ = ["outline_volume"]

_SMOOTHING = 0.2  # of each neighboring slice


def outline_volume(
    stack: SliceStack,
    marked: Mapping[int, Sequence[Hint]],
    plane_of: PlaneOf,
    outline_of: OutlineOf,
    progress: Progress,
    reach: int | None = None,
    seen: MutableMapping[int, SliceSight] | None = None,
) -> VolumeOutline:
    """The body that the user's marks on some slices mean.

    marked: hints on the canvas, by number of the slice. From every slice with a hint that includes
    the object is followed to both sides, at most ``reach`` slices (None: until it ends); between
    two such slices it is followed from both and blended. A slice where the user only excluded cuts
    the outline, or ends it there. plane_of: makes or takes a slice ready, and may report progress;
    outline_of: answers hints on one slice. seen: what is remembered of slices, from earlier calls
    with the same stack and settings, so that a further mark needs no further pass of the network;
    it grows. Reports and can be cancelled at every slice. Raises PromptError when no hint includes
    anything.
    """
    included = sorted(n for n, hints in marked.items() if any(hint.include for hint in hints))
    if not included:
        raise PromptError(
            "Every mark excludes, so nothing is left to outline; mark the structure on at least "
            "one slice."
        )
    sights = {} if seen is None else seen
    spreading = Spreading(stack, marked, plane_of, outline_of, sights, progress, reach)
    spreading.mark(included)
    spreading.spread(included)
    _fill(spreading, stack, marked, included, progress)
    progress.report(1.0)
    return _outline(spreading, included)


def _fill(
    found: Spreading,
    stack: SliceStack,
    marked: Mapping[int, Sequence[Hint]],
    included: Sequence[int],
    progress: Progress,
) -> None:
    """Fill what both sides missed, smooth, leave parts without a click out."""
    rows_mm, columns_mm = stack.spacing_mm[1:]
    for before, after in pairwise(sorted(found.reached)):
        is_outer = after <= included[0] or before >= included[-1]
        if not is_outer and not any(before < n < after for n in found.excluding):
            progress.check()
            fill_gap(found.probability, before, after, (rows_mm, columns_mm))
            found.reached.update(range(before, after))
    first, last = min(found.reached), max(found.reached)
    smooth_slices(found.probability, first, last, _SMOOTHING, set(included))
    progress.check()
    clicked = [_on_slices(n, marked[n], found.outlines[n].shape, stack.size) for n in included]
    keep_clicked(found.probability, first, last, clicked)


def _on_slices(
    number: int, hints: Sequence[Hint], canvas: tuple[int, ...], size: tuple[int, int]
) -> NDArray[np.int64]:
    """(n, 3): slice, row, column of what the user included."""
    pixels = np.concatenate([hint.pixels for hint in hints if hint.include])
    places = ((pixels + 0.5) * np.asarray(size) / np.asarray(canvas)).astype(np.int64)
    return np.insert(np.minimum(places, np.asarray(size) - 1), 0, number, axis=1)


def _outline(found: Spreading, included: Sequence[int]) -> VolumeOutline:
    match = float(np.mean(found.matches)) if found.matches else 1.0
    rule = (
        f"followed over {len(found.reached) - len(included)} slices from {len(included)} marked by "
        f"keys of self-attention and color (mean match {match:.2f}), as far as the outline is deep"
    )
    low, high = found.reasons
    score = float(np.mean(found.scores)) * match
    first, last = min(found.reached), max(found.reached)
    return VolumeOutline(found.probability, first, last, (low, high), match, score, rule)
