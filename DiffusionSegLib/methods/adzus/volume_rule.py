"""From marks on a few slices of a volume to a body: follow, blend, fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.adzus.followed_slice import OutlineOf
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.methods.adzus.volume_outline import VolumeOutline
from DiffusionSegLib.methods.adzus.volume_spreading import Spreading
from DiffusionSegLib.progress import Progress

__all__ = ["outline_volume"]

PlaneOf = Callable[[int, Progress], Plane]


def outline_volume(
    stack: SliceStack,
    marked: Mapping[int, Sequence[Hint]],
    plane_of: PlaneOf,
    outline_of: OutlineOf,
    progress: Progress,
    reach: int | None = None,
) -> VolumeOutline:
    """The body that the user's marks on some slices mean.

    marked: hints on the canvas, by number of the slice. From every slice with a hint that includes
    the object is followed to both sides, at most ``reach`` slices (None: until it is lost); between
    two such slices it is followed from both and blended. A slice where the user only excluded cuts
    the outline, or ends it there. plane_of: makes or takes a slice ready, and may report progress;
    outline_of: answers hints on one slice. Reports and can be cancelled at every slice. Raises
    PromptError when no hint includes anything.
    """
    included = sorted(
        number for number, hints in marked.items() if any(hint.include for hint in hints)
    )
    if not included:
        raise PromptError(
            "Every mark excludes, so nothing is left to outline; mark the structure on at least "
            "one slice."
        )
    spreading = Spreading(stack, marked, plane_of, outline_of, progress, reach)
    spreading.mark(included)
    spreading.spread(included)
    spreading.fill(included)
    progress.report(1.0)
    return spreading.outline(included)
