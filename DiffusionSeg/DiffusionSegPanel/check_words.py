"""What the full check says, in whole sentences."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

__all__ = ["toolTip", "verdict", "wasStopped", "whyNoCheck"]


def whyNoCheck(isOutlining: bool, isSettingUp: bool) -> str:
    """Why no check can be made now; "" when one can."""
    if isSettingUp:
        return _("DiffusionSeg is being set up.")
    if isOutlining:
        return _("An outline is being made, which the check would slow down.")
    return ""


def toolTip(isRunning: bool, whyNot: str) -> str:
    """Of the button."""
    if isRunning:
        return _("Stop the check; nothing of it is left running")
    if whyNot:
        return _("{reason} The check can be made when that has ended.").format(reason=whyNot)
    return _(
        "Examine what DiffusionSeg computes with, start a worker and outline a sample with each "
        "method: about half a minute on a processor. The report can be shown to others."
    )


def wasStopped(whyNot: str) -> str:
    """Something else began that the check must not disturb."""
    return _("The check was stopped: {reason}").format(reason=whyNot)


def verdict(found: Any) -> str:
    """Of an Examination: all is well, or what is wrong and what to do."""
    if found.works and found.complete:
        return _("All is well: the worker, the models and a sample for each method were tried.")
    if found.works:
        return _("Nothing wrong was found; the worker and the samples were not tried.")
    first, count = found.problems[0], len(found.problems)
    if count == 1:
        return _("One thing is wrong: {sentence}").format(sentence=first)
    return _("{n} things are wrong, listed at the end of the report. The first: {sentence}").format(
        n=count, sentence=first
    )
