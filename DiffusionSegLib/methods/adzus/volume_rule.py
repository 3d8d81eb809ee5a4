"""From marks on a few slices of a volume to a body: outline, follow, blend, fill."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.slice_sight import SliceSight
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.methods.adzus.volume_anchors import Anchor, OutlineOf
from DiffusionSegLib.methods.adzus.volume_filling import fill_gap, keep_clicked, smooth_slices
from DiffusionSegLib.methods.adzus.volume_outline import VolumeOutline
from DiffusionSegLib.methods.adzus.volume_spreading import PlaneOf, Spreading, includes
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
    known: Collection[int] = (),
) -> VolumeOutline:
    """The body that the user's marks on some slices mean.

    marked: hints on the canvas, by number of the slice, in the order in which the user made them: a
    mark on a slice to which the object was followed corrects it. From every slice with a hint that
    includes the object is followed to both sides, at most ``reach`` slices (None: until it ends);
    between two such slices it is followed from both and blended. A slice where the user only
    excluded cuts the outline, or ends it there.

    plane_of: makes or takes a slice ready, and may report progress; outline_of: answers hints on
    one slice. seen: what is remembered of slices, from earlier calls with the same stack and
    settings, so that a further mark needs no further pass of the network; it grows. known: marked
    slices whose outline is outline_of's, even if the object was followed there before.

    Reports and can be cancelled at every slice. Raises PromptError when no hint includes anything.
    """
    if not any(includes(hints) for hints in marked.values()):
        raise PromptError(
            "Every mark excludes, so nothing is left to outline; mark the structure on at least "
            "one slice."
        )
    sights = {} if seen is None else seen
    spreading = Spreading(stack, marked, plane_of, outline_of, sights, progress, reach, known)
    spreading.mark()
    spreading.spread()
    _fill(spreading, stack, progress)
    progress.report(1.0)
    return _outline(spreading)


def _fill(found: Spreading, stack: SliceStack, progress: Progress) -> None:
    """Fill what both sides missed, smooth, leave parts without a click out."""
    included = sorted(found.anchors)
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
    clicked = [_clicked(number, one, stack.size) for number, one in found.anchors.items()]
    keep_clicked(found.probability, first, last, clicked)


def _clicked(number: int, anchor: Anchor, size: tuple[int, int]) -> NDArray[np.int64]:
    """(n, 3): slice, row, column of what the user included."""
    pixels = np.concatenate([hint.pixels for hint in anchor.hints if hint.include])
    places = ((pixels + 0.5) * np.asarray(size) / anchor.outline.shape).astype(np.int64)
    return np.insert(np.minimum(places, np.asarray(size) - 1), 0, number, axis=1)


def _outline(found: Spreading) -> VolumeOutline:
    match = float(np.mean(found.matches)) if found.matches else 1.0
    count = len(found.anchors)
    rule = (
        f"followed over {len(found.reached) - count} slices from {count} marked by "
        f"keys of self-attention and color (mean match {match:.2f}), as far as the outline is deep"
    )
    low, high = found.reasons
    score = float(np.mean([one.score for one in found.anchors.values()])) * match
    first, last = min(found.reached), max(found.reached)
    return VolumeOutline(found.probability, first, last, (low, high), match, score, rule)
