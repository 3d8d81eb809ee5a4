"""Times and progress in words."""

from __future__ import annotations

import math
from typing import Any

from slicer.i18n import tr as _

__all__ = ["doneInWords", "durationInWords", "progressInWords", "whenOutdated"]

_MINUTE_S = 60
_HOUR_S = 3600


def doneInWords(result: Any) -> str:
    """How long an OutlineResult took, and what of it is no longer so."""
    done = _("Done in {time}.").format(time=durationInWords(result.elapsedS))
    return f"{done}{whenOutdated(result)}"


def whenOutdated(result: Any) -> str:
    """A further sentence where the volume of an OutlineResult is not what was outlined."""
    if not result.isOutdated:
        return ""
    return " " + _("The volume was changed meanwhile: this outlines what it was before.")


def durationInWords(seconds: float) -> str:
    """Rounded the way people say it: "1 s", "about 20 s", "about 3 min", "about 1.5 h"."""
    if seconds < 10:
        return _("{n} s").format(n=max(1, math.ceil(seconds)))
    if seconds < 1.5 * _MINUTE_S:
        return _("about {n} s").format(n=5 * math.ceil(seconds / 5))
    if seconds < 1.5 * _HOUR_S:
        return _("about {n} min").format(n=math.ceil(seconds / _MINUTE_S))
    return _("about {n} h").format(n=math.ceil(2 * seconds / _HOUR_S) / 2)


def progressInWords(progress: Any) -> str:
    """Stage, percentage and remaining time of a WorkerProgress."""
    percent = math.floor(100 * progress.fraction)
    stage = progress.stage or _("Working")
    if progress.remaining_s is None or progress.fraction >= 1.0:
        return _("{stage}: {percent} %").format(stage=stage, percent=percent)
    left = durationInWords(progress.remaining_s)
    return _("{stage}: {percent} %, {left} left").format(stage=stage, percent=percent, left=left)
