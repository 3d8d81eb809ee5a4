"""Whether the structure is there: said with care, since nothing was trained to tell."""

from __future__ import annotations

from DiffusionSegLib.methods.adzus.answer import Answer
from DiffusionSegLib.methods.adzus.vocabulary import is_pathology
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

__all__ = ["verdict_of"]

_SURE, _LIKELY = 0.5, 0.2


def verdict_of(answer: Answer, text: str, is_empty: bool) -> PresenceVerdict:
    """FOUND only by marks, or by words for anatomy that fit well; words for pathology are never
    more than UNCERTAIN (arXiv:2506.10633: diffusion models do not align them with regions)."""
    score = min(max(answer.score, 0.0), 1.0)
    if is_empty:
        return PresenceVerdict(Verdict.NOT_FOUND, 0.0, _sentence(answer, "Nothing was outlined."))
    if answer.by_user:
        return PresenceVerdict(Verdict.FOUND, score, _sentence(answer, "The user marked it."))
    if not text:
        return PresenceVerdict(
            Verdict.UNCERTAIN if score >= _LIKELY else Verdict.NOT_FOUND,
            score,
            "Nothing was asked for; this is what stands out most in the image."
            if score >= _LIKELY
            else "Nothing was asked for, and nothing stands out; click what is meant.",
        )
    if score < _LIKELY:
        reason = f"Nothing in the image fits the words {text!r}; click what is meant."
        return PresenceVerdict(Verdict.NOT_FOUND, score, reason)
    if is_pathology(text):
        reason = (
            f"The model looks here for {text!r}, but such models are known to place words for "
            "disease poorly; check it, or click on it."
        )
        return PresenceVerdict(Verdict.UNCERTAIN, score, reason)
    state = Verdict.FOUND if score >= _SURE else Verdict.UNCERTAIN
    return PresenceVerdict(state, score, f"The model looks here for {text!r}.")


def _sentence(answer: Answer, first: str) -> str:
    return f"{first} {answer.remark}".strip()
