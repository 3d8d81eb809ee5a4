"""What will be done, and what it will cost: nouns that travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from DiffusionSegLib.methods.forecast import Economy
from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.planning.wording import joined

__all__ = ["Plan", "Rung"]


@dataclass(frozen=True)
class Rung:
    """A way to run. device: where; samples: None as asked; region: instead of the whole image, None
    as asked; said: in words that follow "outlined", what is other than asked for: () as asked."""

    device: str
    economy: Economy = field(default_factory=Economy)
    samples: int | None = None
    region: Box | None = None
    said: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What decides whether it fits into memory."""
        return self.device, self.economy, self.samples, self.region

    @property
    def sentence(self) -> str:
        """For the result; "" as asked."""
        return f"For lack of memory it was outlined {self.in_words}." if self.said else ""

    @property
    def in_words(self) -> str:
        """What follows "outlined"; "" as asked."""
        return joined(self.said)


@dataclass(frozen=True)
class Plan:
    """device: where it will run; adjusted: what will be other than asked for, in words that follow
    "outlined"; seconds, memory_bytes: what it will take, None where nothing is known; free_bytes:
    of that device; fits: False when even the last way seems to need more; words: all in one line.
    """

    device: str
    words: str
    adjusted: tuple[str, ...] = ()
    seconds: float | None = None
    memory_bytes: int | None = None
    free_bytes: int | None = None
    fits: bool = True
    half: bool = False
    smaller: int = 0
    samples: int | None = None
    region: Box | None = None

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        values = asdict(self)
        values["adjusted"] = list(self.adjusted)
        if self.region is not None:
            values["region"] = {
                "center_ras": list(self.region.center_ras),
                "size_mm": list(self.region.size_mm),
                "axes": [list(row) for row in self.region.axes],
            }
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        """The reverse."""
        region = values.get("region")
        box = None
        if region is not None:
            box = Box(tuple(region["center_ras"]), tuple(region["size_mm"]), region["axes"])
        return cls(**{**values, "adjusted": tuple(values["adjusted"]), "region": box})
