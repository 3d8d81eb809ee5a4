"""What a text asks for: an organ, a finding, a modality. Imports no torch.

English only. A text that names no organ in anatomy.json is still answered, but never as something
sure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

__all__ = ["AskedTarget", "asked_target"]

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True)
class AskedTarget:
    """organ, finding, modality: as anatomy.json names them, "" for what the text does not say.

    region: (first, last) part of the body where the organ lies, None when no organ is named.
    """

    organ: str = ""
    finding: str = ""
    modality: str = ""
    region: tuple[str, str] | None = None


def asked_target(text: str) -> AskedTarget:
    """Longer names win over shorter ones they contain: "hepatic vessel" over "hepatic"."""
    words = " ".join(_WORD.findall(text.lower()))
    known = _anatomy()
    organ = _found(words, known["organs"])
    finding = _found(words, known["findings"])
    implied = str(known["findings"][finding].get("organ", "")) if finding else ""
    organ = organ or implied
    region = known["organs"][organ]["region"] if organ else None
    modality = _found(words, known["modalities"])
    return AskedTarget(organ, finding, modality, None if region is None else tuple(region))


def _found(words: str, entries: Mapping[str, Any]) -> str:
    """The entry with the longest name in the text; of equally long ones the first in the text."""
    best: tuple[int, int, str] | None = None
    for name, entry in entries.items():
        for one in entry["words"]:
            match = re.search(rf"(?<!\w){re.escape(one)}(?!\w)", words)
            if match is not None:
                rank = (-len(one), match.start(), name)
                best = rank if best is None else min(best, rank)
    return "" if best is None else best[2]


@lru_cache(maxsize=1)
def _anatomy() -> Mapping[str, Any]:
    text = (files("DiffusionSegLib.methods.diffugts") / "anatomy.json").read_text("utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded
