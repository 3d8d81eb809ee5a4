"""Finds out what a run costs in every way that there is, and chooses the first that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from DiffusionSegLib.backbones.costs import Costs
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.compute.device import prefers_bfloat16, prefers_float16
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.methods.contract import Method
from DiffusionSegLib.methods.forecast import (
    Economies,
    Economy,
    Forecast,
    Forecasting,
    RunWish,
    Work,
)
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.planning.around import region_around
from DiffusionSegLib.planning.calibration import Calibrations
from DiffusionSegLib.planning.ladder import Footing, ladder
from DiffusionSegLib.planning.plan import Plan, Rung
from DiffusionSegLib.planning.rates import RateKey, Rates
from DiffusionSegLib.planning.room import free_bytes, usable_bytes
from DiffusionSegLib.planning.wording import device_words, duration_words, joined, size_words

__all__ = ["Planner", "Standing"]

_LEAST_LEARNED_S = 0.2  # of work; less says more of the clock than of the device


@dataclass(frozen=True)
class Standing:
    """What is there already. loaded: devices that hold the network; embedded, answered: whether the
    image was prepared, and the same was asked of it before."""

    loaded: frozenset[str] = frozenset()
    embedded: bool = False
    answered: bool = False


class Planner:
    """Of one model. free: bytes that are free on a device, None where that is not known. fast_half:
    whether a device is fast in half precision."""

    def __init__(
        self,
        method: Method,
        model: ModelEntry,
        rates: Rates | None = None,
        calibrations: Calibrations | None = None,
        free: Callable[[str], int | None] = free_bytes,
        fast_half: Callable[[str], bool] = prefers_bfloat16,
    ) -> None:
        self._fast_half = fast_half
        self.method, self.model = method, model
        self.rates, self._free = rates or Rates(), free
        self._calibrations = calibrations or Calibrations()

    @property
    def economies(self) -> Economies:
        """Of the method with this model."""
        if not isinstance(self.method, Forecasting):
            return Economies()
        try:
            return self.method.economies(self.model)
        except DiffusionSegError:
            return Economies()  # opening the model will say what is wrong with its card

    def ladder(self, wish: RunWish, device: str, mask: Mask | None = None) -> tuple[Rung, ...]:
        """The ways to do what is wished; see `ladder`. What saves nothing is left out."""
        can, forecast = self.economies, self.forecast(wish, Rung(device))
        region = None
        if can.margin_mm > 0 and wish.region is None:
            region = region_around(wish.prompt, wish.image.geometry, can.margin_mm, mask)
        wanted = {device, "cpu"} if can.half else set()
        half_on = frozenset(one for one in wanted if self._half_saves(wish, one))
        samples = 1 if forecast is None else forecast.samples
        rungs = ladder(Footing(device, can, half_on, samples, region))
        return self._descending(wish, rungs)

    def forecast(self, wish: RunWish, rung: Rung) -> Forecast | None:
        """None when the method tells nothing, or of what cannot be run, which will be said then."""
        if not isinstance(self.method, Forecasting):
            return None
        try:
            return self.method.forecast(self.model, self._on(wish, rung))
        except DiffusionSegError:
            return None

    def memory_bytes(
        self, forecast: Forecast | None, standing: Standing, device: str = "cpu"
    ) -> int | None:
        """Of everything: the network, and the worse of preparing and outlining."""
        costs = self.model.costs
        if costs is None or forecast is None:
            return None
        work = forecast.again if standing.answered else forecast.propose
        parts = [work.sizes] if standing.embedded else [work.sizes, forecast.embed.sizes]
        network = costs.network_in(prefers_float16(device))
        return network + int(max(_sum(part, costs.sizes) for part in parts))

    def card_seconds(
        self, forecast: Forecast | None, standing: Standing, device: str
    ) -> float | None:
        """On the computer that the card was measured with."""
        costs = self.model.costs
        if costs is None or forecast is None:
            return None
        parts: list[Work] = [] if standing.embedded else [forecast.embed]
        parts.append(forecast.again if standing.answered else forecast.propose)
        seconds = sum(_sum(part.times, costs.seconds) for part in parts)
        return seconds + (0.0 if device in standing.loaded else costs.load_s)

    def seconds(self, card_s: float | None, device: str) -> float | None:
        """Here: as the runs so far, or by what the calibration takes."""
        costs = self.model.costs
        if card_s is None or costs is None:
            return None
        rate = self.rates.find(self._key(device))
        if rate is not None:
            return card_s * rate.seconds
        return card_s * self.slowness(device, costs)

    def slowness(self, device: str, costs: Costs) -> float:
        """How much longer than on the card's computer things take there."""
        here = self._calibrations.seconds(device)
        return 1.0 if here is None else here / costs.reference_s

    def learn_run(self, wish: RunWish, rung: Rung, answered: bool, seconds: float) -> None:
        """From a whole propose on a prepared image, when it was known how much there is to do."""
        forecast = self.forecast(wish, rung)
        if forecast is None or not forecast.exact:
            return
        standing = Standing(frozenset({rung.device}), True, answered)
        card_s = self.card_seconds(forecast, standing, rung.device)
        if card_s is not None and card_s >= _LEAST_LEARNED_S and seconds > 0:
            self.rates.learn(self._key(rung.device), seconds / card_s)

    def choose(self, wish: RunWish, rungs: Sequence[Rung], standing: Standing) -> int:
        """The number of the first way that fits; where none does, of the one that needs least."""
        least, best = 0, None
        for number, rung in enumerate(rungs):
            needed = self._still_needed(wish, rung, standing)
            room = usable_bytes(self._free(rung.device))
            if needed is None or room is None or needed <= room:
                return number
            if best is None or needed < best:
                least, best = number, needed
        return least

    def plan(self, wish: RunWish, rungs: Sequence[Rung], number: int, standing: Standing) -> Plan:
        """In words, with what it costs."""
        rung = rungs[number]
        forecast = self.forecast(wish, rung)
        memory = self.memory_bytes(forecast, standing, rung.device)
        card_s = self.card_seconds(forecast, standing, rung.device)
        seconds = self.seconds(card_s, rung.device)
        free = self._free(rung.device)
        needed, room = self._still_needed(wish, rung, standing), usable_bytes(free)
        plan = Plan(
            device=rung.device,
            words="",
            adjusted=rung.said,
            seconds=seconds,
            memory_bytes=memory,
            free_bytes=free,
            fits=needed is None or room is None or needed <= room,
            half=rung.economy.half,
            smaller=rung.economy.smaller,
            samples=rung.samples,
            region=rung.region,
        )
        tight = self._free(rungs[0].device)
        return replace(plan, words=_worded(plan, forecast, tight))

    def _descending(self, wish: RunWish, rungs: Sequence[Rung]) -> tuple[Rung, ...]:
        """Without those that need no less than one before them on the same device."""
        least: dict[str, int] = {}
        seen: dict[str, list[Mapping[str, float]]] = {}
        kept = []
        for number, rung in enumerate(rungs):
            forecast = self.forecast(wish, rung)
            needed = self.memory_bytes(forecast, Standing(), rung.device)
            before, sizes = least.get(rung.device), seen.setdefault(rung.device, [])
            saves = needed is None or before is None or needed < before
            new = forecast is None or forecast.propose.sizes not in sizes
            if number == 0 or (saves and new):
                kept.append(rung)
            if needed is not None:
                least[rung.device] = needed if before is None else min(before, needed)
            if forecast is not None:
                sizes.append(forecast.propose.sizes)
        return tuple(kept)

    def _half_saves(self, wish: RunWish, device: str) -> bool:
        """Whether half precision is worth its while there, and not what is done anyway."""
        if not self._fast_half(device):
            return False
        ways = [Rung(device), Rung(device, Economy(half=True))]
        full, half = (self.forecast(wish, rung) for rung in ways)
        return full is not None and half is not None and full.propose.sizes != half.propose.sizes

    def _still_needed(self, wish: RunWish, rung: Rung, standing: Standing) -> int | None:
        whole = self.memory_bytes(self.forecast(wish, rung), standing, rung.device)
        costs = self.model.costs
        if whole is None or costs is None or rung.device not in standing.loaded:
            return whole
        return whole - costs.network_in(prefers_float16(rung.device))

    def _on(self, wish: RunWish, rung: Rung) -> RunWish:
        run = wish.run
        if rung.samples is not None:
            run = replace(run, samples=rung.samples)
        costs = self.model.costs
        return replace(
            wish,
            region=rung.region or wish.region,
            run=run,
            economy=rung.economy,
            fast_half=self._fast_half(rung.device),
            draws=0.0 if costs is None else costs.draws,
        )

    def _key(self, device: str) -> RateKey:
        return RateKey.of(self.model, device, "card")


def _sum(units: Mapping[str, float], each: Mapping[str, float]) -> float:
    return sum(number * each.get(kind, 0.0) for kind, number in units.items())


def _worded(plan: Plan, forecast: Forecast | None, free: int | None) -> str:
    """One line: what it takes, and what is other than asked for."""
    what = "" if forecast is None else f" ({forecast.words})"
    amounts = []
    if plan.seconds is not None:
        amounts.append(duration_words(plan.seconds))
    if plan.memory_bytes is not None:
        amounts.append(size_words(plan.memory_bytes))
    head = f"About {joined(amounts)} on {device_words(plan.device)}" if amounts else (
        f"On {device_words(plan.device)}"
    )  # fmt: skip
    words = head + what
    if plan.adjusted:
        why = "" if free is None else f", because only {size_words(free)} are free"
        words += f"; {joined(plan.adjusted)}{why}"
    if not plan.fits and plan.free_bytes is not None:
        words += f"; that may be too much: {size_words(plan.free_bytes)} are free"
    return words
