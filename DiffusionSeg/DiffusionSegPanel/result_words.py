"""A result in words."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from DiffusionSegBridge.size_words import sizeInWords
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


def candidateInWords(shown: Any) -> str:
    """Which candidate of a ShownResult is shown, what it is, and how likely."""
    index, count = shown.candidate, shown.candidateCount
    if index == 0:
        return _("1 of {count}, the main one").format(count=count)
    candidate = shown.proposal.alternatives[index - 1]
    return _("{number} of {count}: {title} (score {score})").format(
        number=index + 1, count=count, title=candidate.title, score=f"{candidate.score:.2f}"
    )


def volumeInWords(shown: Any, threshold: float) -> str:
    """How large the outline is; each label when there are several."""
    if len(shown.labels) == 1:
        return sizeInWords(shown.count(threshold), shown.geometry)
    return ", ".join(
        f"{label.name} {sizeInWords(shown.count(threshold, label.value), shown.geometry)}"
        for label in shown.labels
    )
