"""What to compute with: the part of a request that stays the same from prompt to prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.contract import Value

__all__ = ["Setup"]


@dataclass(frozen=True)
class Setup:
    """Names as in `Session`; model and samples None: the default; parameters: of the method."""

    method: str
    model: str | None = None
    device: str = "auto"
    seed: int = 0
    samples: int | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @property
    def network(self) -> tuple[str, str | None, str]:
        """What decides which network is loaded: a change of the rest costs no new embedding."""
        return self.method, self.model, self.device

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {
            "method": self.method,
            "model": self.model,
            "device": self.device,
            "seed": self.seed,
            "samples": self.samples,
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Setup:
        """The reverse of `to_dict`; raises InputError. Values are checked by the session."""
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"The set-up of a request cannot be read: {error}.") from error
