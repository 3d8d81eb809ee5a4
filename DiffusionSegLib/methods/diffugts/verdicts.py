"""Whether the image shows what was asked for. The paper does not answer this; our choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.asked_target import AskedTarget
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

__all__ = ["PresenceLimits", "marked_verdict", "nothing_left", "text_verdict"]


@dataclass(frozen=True)
class PresenceLimits:
    """Scores below ``absent`` are NOT_FOUND, from ``found`` on FOUND; both chosen on the validation
    part: ``found`` so that a stated share of healthy images reaches it at most, ``absent`` so that
    the same share of tumors is lost by it at most."""

    absent: float = 0.2
    found: float = 0.5

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> PresenceLimits:
        """Of a model card; raises ModelError."""
        try:
            return PresenceLimits(float(values["absent"]), float(values["found"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The card's presence limits are not usable: {error}.") from error


def text_verdict(
    score: float, limits: PresenceLimits, target: AskedTarget, text: str
) -> PresenceVerdict:
    """score: the overlap that the likeliest region is expected to have, in [0, 1]."""
    named = f"{target.organ} {target.finding or 'tumor'}".strip()
    if score < limits.absent:
        return PresenceVerdict(
            Verdict.NOT_FOUND, score, f"Nothing here stands out enough to be a {named}."
        )
    if not target.organ:
        return PresenceVerdict(Verdict.UNCERTAIN, score, _without_organ(text))
    if score < limits.found:
        return PresenceVerdict(
            Verdict.UNCERTAIN, score, f"This may be a {named}; healthy structures can look like it."
        )
    return PresenceVerdict(
        Verdict.FOUND, score, f"This stands out from healthy tissue as a {named} would."
    )


def _without_organ(text: str) -> str:
    shown = "what stands out most is shown, which may be something else."
    if not text:
        return f"Nothing was named; {shown}"
    return f"The words {text!r} name no organ that is known here (English only); {shown}"


def marked_verdict(score: float) -> PresenceVerdict:
    """For what the user pointed at."""
    return PresenceVerdict(Verdict.FOUND, score, "The user marked it in this image.")


def nothing_left(reason: str) -> PresenceVerdict:
    """For an outline that came out empty: never called a success."""
    return PresenceVerdict(Verdict.NOT_FOUND, 0.0, reason)
