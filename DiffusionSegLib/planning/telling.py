"""A result that says what was other than asked for."""

from __future__ import annotations

from dataclasses import replace

from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.planning.plan import Rung

__all__ = ["ADJUSTED", "adjusted_sentence", "tell_adjusted"]

ADJUSTED = "adjusted_for_memory"
"""The parameter of a provenance that lists it, in words that follow "outlined"."""


def tell_adjusted(found: Proposal, rung: Rung) -> None:
    """Add to the verdict's reason and to the provenance; nothing when it was done as asked."""
    if not rung.said:
        return
    reason = f"{found.verdict.reason} {rung.sentence}".strip()
    found.verdict = replace(found.verdict, reason=reason)
    known = found.provenance
    found.provenance = replace(known, parameters={**known.parameters, ADJUSTED: list(rung.said)})


def adjusted_sentence(found: Proposal) -> str:
    """The sentence that a result was given; "" when it was done as asked."""
    said = found.provenance.parameters.get(ADJUSTED, ())
    return Rung(found.provenance.device, said=tuple(said)).sentence
