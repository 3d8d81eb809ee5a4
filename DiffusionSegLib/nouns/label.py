"""What a value in a mask means: its name, colour and terminology."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from DiffusionSegLib.errors import InputError

__all__ = ["Label", "label_for", "terminology_entry"]

Color = tuple[float, float, float]

# Okabe and Ito, "Color universal design" (2008): told apart by colour-blind readers too.
_PALETTE: tuple[Color, ...] = (
    (0.902, 0.624, 0.0),
    (0.337, 0.706, 0.914),
    (0.0, 0.620, 0.451),
    (0.941, 0.894, 0.259),
    (0.0, 0.447, 0.698),
    (0.835, 0.369, 0.0),
    (0.800, 0.475, 0.655),
)


@dataclass(frozen=True)
class Label:
    """One structure: `value` 1..255 in the mask, colour as three numbers in [0, 1].

    `terminology` is 3D Slicer's seven-part entry ("" if none), see `terminology_entry`.
    """

    value: int
    name: str
    color_rgb: Color = _PALETTE[0]
    terminology: str = ""

    def __post_init__(self) -> None:
        if not 1 <= int(self.value) <= 255:
            raise InputError(f"A label's value must be 1 to 255, not {self.value}.")
        color = tuple(float(part) for part in self.color_rgb)
        if len(color) != 3 or not all(0.0 <= part <= 1.0 for part in color):
            raise InputError(f"A colour is three numbers from 0 to 1, not {self.color_rgb}.")
        object.__setattr__(self, "value", int(self.value))
        object.__setattr__(self, "color_rgb", color)


def label_for(value: int, name: str = "", terminology: str = "") -> Label:
    """A label with a colour of its own from a colour-blind-safe palette."""
    color = _PALETTE[(value - 1) % len(_PALETTE)]
    return Label(value, name or f"Label {value}", color, terminology)


Code = tuple[str, str, str]


def terminology_entry(category: Code, kind: Code, modifier: Code | None = None) -> str:
    """3D Slicer's entry string from triples (scheme, code, meaning): ("SCT", "10200004", "Liver").

    Seven parts joined by "~": context, category, type, type modifier, anatomic context, region,
    region modifier; the three parts of a code are joined by "^".
    """
    empty: Code = ("", "", "")
    contexts = "Segmentation category and type - 3D Slicer General Anatomy list"
    anatomic = "Anatomic codes - DICOM master list"
    codes: Iterable[Code] = (category, kind, modifier or empty)
    first = [contexts, *("^".join(code) for code in codes)]
    return "~".join([*first, anatomic, "^".join(empty), "^".join(empty)])
