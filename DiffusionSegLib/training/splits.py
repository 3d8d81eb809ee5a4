"""Patient-level splits: the same patients always fall on the same side."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

SPLIT_SEED = 2024
PARTS = ("train", "validation", "test")


def split_cases(cases: Iterable[str], strata: Sequence[str] = ()) -> dict[str, list[str]]:
    """70 % train, 10 % validation, 20 % test; stems sorted, then shuffled with a fixed seed.

    cases: stems, one per patient. strata: stem prefixes that are split separately, so that each
    kind is present everywhere; the cases of no stratum form one more.
    """
    remaining = sorted(set(cases))
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for prefix in (*strata, ""):
        chosen = [case for case in remaining if case.startswith(prefix)]
        remaining = [case for case in remaining if case not in set(chosen)]
        random.Random(SPLIT_SEED).shuffle(chosen)
        train, validation = round(0.7 * len(chosen)), round(0.1 * len(chosen))
        parts["train"] += chosen[:train]
        parts["validation"] += chosen[train : train + validation]
        parts["test"] += chosen[train + validation :]
    return parts
