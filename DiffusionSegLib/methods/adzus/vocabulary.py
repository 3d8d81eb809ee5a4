"""What the words of a prompt are: which of them carry meaning, which of them name a pathology.

Imports no torch.
"""

from __future__ import annotations

import re

__all__ = ["content_words", "is_pathology"]

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_STOP_WORDS = (
    "a an the this that these those of in on at by to from with without within into for and or "
    "as is are was were be it its his her their my your there here which who all any some each "
    "both please segment outline find show mark select image picture photo photograph scan slice "
    "view"
)
# Beginnings of words, in American and British spelling.
_PATHOLOGIES = (
    "tumor", "tumour", "lesion", "infect", "nodul", "hemorrhag", "haemorrhag", "metasta", "opaci",
    "cancer", "carcino", "sarcoma", "melanom", "lymphom", "gliom", "glioblastom", "meningiom",
    "adenom", "angiom", "hemangiom", "haemangiom", "neoplas", "malignan", "cyst", "polyp",
    "abscess", "edema", "oedema", "effusion", "pneumoni", "pneumothora", "consolidat", "infiltrat",
    "fibros", "emphysem", "atelecta", "embol", "thromb", "aneurysm", "aneurism", "stenos",
    "infarct", "ischem", "ischaem", "bleed", "hematom", "haematom", "fractur", "ulcer",
    "wound", "necro", "gangren", "inflam", "sclerosis", "sclerotic", "plaque", "calcifi",
    "calculus", "calculi", "hernia", "ruptur", "contusion", "tubercul", "covid", "patholog",
    "diseas", "abnormal", "anomal", "injur", "swelling", "naevus", "naevi",
    "nevus", "nevi", "keratos", "leukemi", "leukaemi", "exudat", "ground-glass", "glaucom",
    "retinopath", "hydrocephal", "cirrho", "steato",
)  # fmt: skip
_WHOLE_WORDS = frozenset(
    ("mass", "masses", "mole", "moles", "scar", "scars", "stroke", "strokes", "growth", "growths")
)


def content_words(text: str) -> tuple[tuple[int, int], ...]:
    """(first, behind last) character of every word that says what is meant; stop words are not.

    A text of stop words alone has none.
    """
    found, empty = _WORD.finditer(text), set(_STOP_WORDS.split())
    return tuple(
        one.span() for one in found
        if one.group().lower() not in empty and not one.group().isdigit()
    )  # fmt: skip


def is_pathology(text: str) -> bool:
    """Whether a word of the text names a disease or an injury, in any spelling or inflection.

    Cross-attention of general models does not align with pathology (arXiv:2506.10633), so that
    such an outline is never certain. English only; a lesion of the skin is one too.
    """
    words = (one.group().lower() for one in _WORD.finditer(text))
    return any(word in _WHOLE_WORDS or word.startswith(_PATHOLOGIES) for word in words)
