"""What the numbers of an image mean that explains a result, told by its name.

Methods name their auxiliary images in these words; a front end shows each as it should be seen.
"""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["Explains", "explains"]


class Explains(Enum):
    """FRACTION: from 0 to 1, such as an "anomaly map". TWIN: what the image would look like, in
    its own units, such as "pseudo-healthy". SIGNED: image less twin, 0 where they agree, such as
    "difference". OTHER: anything else."""

    FRACTION = "fraction"
    TWIN = "twin"
    SIGNED = "signed"
    OTHER = "other"


_WORDS = {
    "map": Explains.FRACTION,
    "difference": Explains.SIGNED,
    "healthy": Explains.TWIN,
}


def explains(name: str) -> Explains:
    """Of an auxiliary image with this name; the last word that is known counts."""
    found = [_WORDS[word] for word in re.findall(r"\w+", name.lower()) if word in _WORDS]
    return found[-1] if found else Explains.OTHER
