"""What DiffuGTS computes at once, as usual and with less memory; without torch."""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.methods.forecast import Economy

__all__ = ["VOXELS_AT_ONCE", "CutDown", "cut_down"]

VOXELS_AT_ONCE = 400_000  # that the encoder reads
_FEWER = 4


@dataclass(frozen=True)
class CutDown:
    """places_divisor: of the places of all windows of one pass, None for a single window.
    voxels_divisor: of the voxels that the encoder reads at once. smallest: whether windows are the
    smallest that the card allows."""

    places_divisor: int | None = 1
    voxels_divisor: int = 1
    smallest: bool = False

    def places(self, usual: int) -> int:
        """Of all windows of one pass; 1 stands for a single window."""
        return 1 if self.places_divisor is None else max(1, usual // self.places_divisor)


def cut_down(economy: Economy | None) -> CutDown:
    """The first cut takes a quarter, the second as little as there can be."""
    cuts = 0 if economy is None else economy.smaller
    if cuts == 0:
        return CutDown()
    if cuts == 1:
        return CutDown(_FEWER, _FEWER)
    return CutDown(None, VOXELS_AT_ONCE, smallest=True)
