"""How many cuts of which kinds of pictures are prepared, and of which pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL, SYNTHETIC, Cut, draw_cut
from DiffusionSegLib.training.diffugts.pack import Pack, Picture
from DiffusionSegLib.training.diffugts.settings import GtsSettings

__all__ = ["COUNTS", "planned_cuts", "prepared_cut"]

# Our choice: rarer kinds have fewer pictures, and are cut more often each.
COUNTS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "train": {
        REAL: {
            "brain": 130, "lung": 70, "lung-patch": 50, "hepatic": 60, "sarcoma-ct": 80,
            "sarcoma-mr": 80, "ms": 24,
        },
        SYNTHETIC: {
            "brain": 40, "lung": 20, "lung-patch": 15, "hepatic": 20, "sarcoma-ct": 25,
            "sarcoma-mr": 25, "pancreas": 50, "liver": 50, "hippocampus": 25, "ms": 10,
            "abdomen": 10, "body": 10,
        },
        HEALTHY: {
            "pancreas": 40, "hippocampus": 12, "sarcoma-ct": 20, "sarcoma-mr": 20,
            "lung-patch": 6, "abdomen": 12, "body": 12, "ms": 6,
        },
    },
    "validation": {
        REAL: {"brain": 8, "lung": 8, "lung-patch": 8, "sarcoma-ct": 16, "sarcoma-mr": 16},
        HEALTHY: {
            "pancreas": 30, "hippocampus": 10, "sarcoma-ct": 8, "sarcoma-mr": 8, "lung-patch": 4,
        },
    },
}  # fmt: skip
_OTHER = 4  # cuts for each role of a kind that is not listed
_TRIES = 5


def planned_cuts(pack: Pack, settings: GtsSettings) -> list[tuple[int, str]]:
    """(number of the picture, role) of all cuts; every picture of a kind is taken about as often
    as the others."""
    planned = []
    for part in ("train", "validation"):
        for role in (REAL, SYNTHETIC, HEALTHY):
            kinds: dict[str, list[int]] = {}
            for number, picture in enumerate(pack.pictures):
                if picture.part == part and _fits(picture, role):
                    kinds.setdefault(picture.kind, []).append(number)
            for kind, numbers in sorted(kinds.items()):
                count = round(settings.cuts * _count(part, role, kind))
                chosen = _spread(numbers, count)
                planned += [(number, role) for number in chosen]
    return planned


def prepared_cut(
    pack: Pack, settings: GtsSettings, planned: Sequence[tuple[int, str]], place: int
) -> Cut | None:
    """The one at a place of the plan; it depends on its own place alone, so that making them may
    stop and go on anywhere. None where no lesion found a place in the picture."""
    number, role = planned[place]
    rng = torch.Generator().manual_seed(settings.seed * 1_000_003 + place)
    for _ in range(_TRIES):
        cut = draw_cut(number, pack.pictures[number], role, settings.side, rng)
        if cut is not None:
            return cut
    return None


def _fits(picture: Picture, role: str) -> bool:
    if role == REAL:
        return picture.has_tumor
    return picture.healthy if role == HEALTHY else picture.part == "train"


def _count(part: str, role: str, kind: str) -> int:
    known = {kind for roles in COUNTS.values() for kinds in roles.values() for kind in kinds}
    if kind in known:
        return COUNTS[part].get(role, {}).get(kind, 0)
    return _OTHER


def _spread(numbers: list[int], count: int) -> list[int]:
    """Evenly over the pictures, all of them as often as it takes."""
    return [numbers[place * len(numbers) // count % len(numbers)] for place in range(count)]
