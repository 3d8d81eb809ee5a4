"""How large a picture the network is shown, as usual and with less memory; without torch."""

from __future__ import annotations

from DiffusionSegLib.methods.forecast import Economy

__all__ = [
    "CANVAS_SIDE",
    "LARGEST_SIDE",
    "LARGEST_WHOLE",
    "SPARING_SIDES",
    "kept_planes",
    "largest_side",
    "scaled_sides",
]

CANVAS_SIDE = 256  # pixels of the long side of the picture on which outlines are chosen
LARGEST_WHOLE = 1024  # pixels of the long side; larger slices are looked at through a window
LARGEST_SIDE = 512  # of what the network sees
SPARING_SIDES = (384, 256)  # instead, the first time and the second time that memory is short
_SMALLEST_SIDE = 256
_KEPT_PLANES = 4  # of 64 x 64 places each holds about 150 MB


def largest_side(economy: Economy | None) -> int:
    """Pixels of the long side that the network is shown at most."""
    cuts = 0 if economy is None else economy.smaller
    return LARGEST_SIDE if cuts == 0 else SPARING_SIDES[min(cuts, len(SPARING_SIDES)) - 1]


def kept_planes(economy: Economy | None) -> int:
    """Slices that stay ready for further marks."""
    return 1 if economy is not None and economy.smaller else _KEPT_PLANES


def scaled_sides(
    rows: int, columns: int, largest: int = LARGEST_SIDE, multiple: int = 1
) -> tuple[int, int]:
    """What the network is shown of a picture of that size: a long side of 256 to ``largest``
    pixels, both multiples of ``multiple``."""
    longest = max(rows, columns)
    scale = min(max(longest, _SMALLEST_SIDE), largest) / longest
    found = [max(multiple, round(side * scale / multiple) * multiple) for side in (rows, columns)]
    return found[0], found[1]
