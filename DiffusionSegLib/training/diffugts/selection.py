"""Which prepared pictures a run may learn from, and how much each counts."""

from __future__ import annotations

from collections import Counter

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL, SYNTHETIC
from DiffusionSegLib.training.diffugts.prepared import Prepared
from DiffusionSegLib.training.diffugts.settings import GtsSettings

__all__ = ["chosen_cuts", "cut_weights"]


def chosen_cuts(prepared: Prepared, settings: GtsSettings, part: str) -> list[int]:
    """Numbers of the cuts of a part of the split.

    Of the type that is left out there is no tumor and no healthy picture; its training pictures are
    the background of synthetic lesions where the settings say so. Raises InputError for a type that
    does not exist.
    """
    types = sorted(set(prepared.tumor) - {""})
    if settings.leave_out and settings.leave_out not in types:
        raise InputError(
            f"There are no tumors of type {settings.leave_out!r} to leave out; known are "
            f"{', '.join(types)}."
        )
    return [
        number for number in range(len(prepared.cuts)) if _kept(prepared, settings, part, number)
    ]


def cut_weights(
    prepared: Prepared, settings: GtsSettings, numbers: list[int], healthy: float
) -> list[float]:
    """How often each is drawn: kinds by the square root of their number, synthetic lesions less,
    healthy pictures ``healthy`` times as often as real tumors (our choice)."""
    groups = [(prepared.cuts[n].role, prepared.kind[n]) for n in numbers]
    counts = Counter(groups)
    less = {REAL: 1.0, SYNTHETIC: settings.synthetic, HEALTHY: healthy}
    return [less[group[0]] / counts[group] ** 0.5 for group in groups]


def _kept(prepared: Prepared, settings: GtsSettings, part: str, number: int) -> bool:
    if prepared.part[number] != part:
        return False
    if not settings.leave_out or prepared.tumor[number] != settings.leave_out:
        return True
    background = prepared.cuts[number].role == SYNTHETIC and part == "train"
    return background and settings.anatomy_of_left_out
