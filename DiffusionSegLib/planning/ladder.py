"""The ways to run with less and less memory, the one that was asked for first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from DiffusionSegLib.methods.forecast import Economies, Economy
from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.planning.plan import Rung
from DiffusionSegLib.planning.wording import device_words

__all__ = ["Footing", "ladder"]


@dataclass(frozen=True)
class Footing:
    """What a ladder is built on. device: that was asked for; half_on: devices that are fast in half
    precision; samples: that were asked for; region: around the marks, None when there is none."""

    device: str
    economies: Economies = field(default_factory=Economies)
    half_on: frozenset[str] = frozenset()
    samples: int = 1
    region: Box | None = None


def ladder(footing: Footing) -> tuple[Rung, ...]:
    """Half precision, less at once, fewer samples, only the part around the marks; then the same
    with the processor instead of a GPU, from full precision on."""
    rungs = list(_on(footing, footing.device, ()))
    if footing.device != "cpu":
        said = (f"on the processor instead of {device_words(footing.device)}",)
        rungs += _on(footing, "cpu", said)
    return tuple(rungs)


def _on(footing: Footing, device: str, first: tuple[str, ...]) -> Iterator[Rung]:
    can = footing.economies
    yield Rung(device, said=first)
    half = can.half and device in footing.half_on
    start = (*first, "in half precision") if half else first
    if half:
        yield Rung(device, Economy(half=True), said=start)
    said, economy = start, Economy(half)
    for number, words in enumerate(can.smaller, start=1):
        economy, said = Economy(half, number), (*start, words)
        yield Rung(device, economy, said=said)
    samples: int | None = None
    for samples in _fewer(footing.samples, can.least_samples):
        fewer = (*said, f"with {samples} instead of {footing.samples} samples")
        yield Rung(device, economy, samples, said=fewer)
    if samples is not None:
        said = fewer
    if footing.region is not None:
        around = (*said, f"only within {can.margin_mm:.0f} mm of the marks")
        yield Rung(device, economy, samples, footing.region, around)


def _fewer(asked: int, least: int) -> list[int]:
    """Half of them, then the least."""
    if least <= 0:
        return []
    return [number for number in sorted({max(least, asked // 2), least})[::-1] if number < asked]
