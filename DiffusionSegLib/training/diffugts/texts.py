"""The texts that training compares pictures with: the same form as those of users' words."""

from __future__ import annotations

from collections.abc import Sequence

from DiffusionSegLib.methods.diffugts.asked_target import AskedTarget
from DiffusionSegLib.methods.diffugts.prompt_pair import prompt_pair

__all__ = ["text_pairs"]


def text_pairs(modality: str, organ: str, findings: Sequence[str]) -> list[tuple[str, str]]:
    """(normal, abnormal) of every way to ask: with the organ and without, with each finding and
    without, with the modality and without."""
    pairs: dict[tuple[str, str], None] = {}
    for shown in (modality, ""):
        for place in (organ, ""):
            for finding in (*findings, ""):
                pairs[prompt_pair(AskedTarget(place, finding, shown)).texts] = None
    return list(pairs)
