"""A result in words."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.nouns.verdict import Verdict

__all__ = ["candidateInWords", "verdictInWords", "volumeInWords"]


def verdictInWords(verdict: Any) -> str:
    """Whether the structure is there, how sure that is, and why."""
    words = {
        Verdict.FOUND: _("Found"),
        Verdict.UNCERTAIN: _("Uncertain, please check"),
        Verdict.NOT_FOUND: _("Not found"),
    }
    return _("{verdict} (score {score}). {reason}").format(
        verdict=words[verdict.state], score=f"{verdict.score:.2f}", reason=verdict.reason
    )


def candidateInWords(index: int, count: int) -> str:
    """Which candidate is shown."""
    if index == 0:
        return _("1 of {count}, the main one").format(count=count)
    return _("{number} of {count}").format(number=index + 1, count=count)


def volumeInWords(shown: Any, threshold: float) -> str:
    """The volume in millilitres; of each label when there are several."""
    if len(shown.labels) == 1:
        return _("{volume} ml").format(volume=f"{shown.volumeMl(threshold):.2f}")
    return ", ".join(
        _("{name} {volume} ml").format(
            name=label.name, volume=f"{shown.volumeMl(threshold, label.value):.2f}"
        )
        for label in shown.labels
    )
