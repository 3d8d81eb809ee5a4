"""What a model costs, as its card says: bytes and seconds, measured by a benchmark.

The seconds were measured with one thread of a processor on which the calibration computation (see
planning/calibration) took ``reference_s``; elsewhere they are scaled by what it takes there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Costs", "plain_costs", "read_costs"]


@dataclass(frozen=True)
class Costs:
    """network_bytes: of the loaded model with what its library needs besides; half_network_bytes:
    where it is opened in half precision, 0 for a model that is not. load_s: to load it.
    seconds, sizes: seconds and bytes of one unit, by the kind of work or of thing, which are the
    method's (see methods/forecast). draws: share of the samples asked for that is drawn on
    the average, for a method that stops early; 0 when that is not known."""

    network_bytes: int
    reference_s: float
    load_s: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    draws: float = 0.0
    half_network_bytes: int = 0

    def network_in(self, half: bool) -> int:
        """Bytes of the loaded model where networks are opened in half precision, or not."""
        return self.half_network_bytes if half and self.half_network_bytes else self.network_bytes


def read_costs(values: Any) -> Costs | None:
    """Of a card; None when it has none. Raises ValueError, TypeError, KeyError."""
    if values is None:
        return None
    costs = Costs(
        network_bytes=_whole("network_bytes", values["network_bytes"]),
        reference_s=_amount("reference_s", values["reference_s"]),
        load_s=_amount("load_s", values.get("load_s", 0.0)),
        seconds=_amounts("seconds", values.get("seconds", {})),
        sizes=_amounts("sizes", values.get("sizes", {})),
        draws=_amount("draws", values.get("draws", 0.0)),
        half_network_bytes=_whole("half_network_bytes", values.get("half_network_bytes", 0)),
    )
    unknown = sorted(set(values) - set(vars(costs)))
    if unknown:
        raise ValueError(f"the costs name {unknown[0]!r}, which does not exist")
    if costs.reference_s == 0:
        raise ValueError("the reference_s of the costs is above zero")
    return costs


def plain_costs(costs: Costs) -> dict[str, Any]:
    """The reverse: what a card holds."""
    return {**vars(costs), "seconds": dict(costs.seconds), "sizes": dict(costs.sizes)}


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"the {name} of the costs are a whole number, not {value!r}")
    return value


def _amount(name: str, value: object) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value < 0:  # type: ignore[arg-type, operator]
        raise ValueError(f"the {name} of the costs is a number from 0 on, not {value!r}")
    return float(value)  # type: ignore[arg-type]


def _amounts(name: str, values: Any) -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise ValueError(f"the {name} of the costs are numbers by name, not {values!r}")
    return {str(kind): _amount(f"{name} {kind}", value) for kind, value in values.items()}
