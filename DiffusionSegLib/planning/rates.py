"""How fast and how large runs are here: measured, and remembered from one program to the next."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.places import user_data_folder
from DiffusionSegLib.errors import OutputError
from DiffusionSegLib.io.atomic import atomic_file

__all__ = ["Rate", "RateKey", "Rates", "rates_file"]

_LOG = logging.getLogger(__name__)
_FILE_VARIABLE = "DIFFUSIONSEG_RATES"
_MOST = 200  # kept in the file
_LARGEST_FILE = 1_000_000
# Of the last run among those before it. What made a run slower often passes (another program, a
# computer that slept); one that was faster shows what can be done here.
_FASTER, _SLOWER = 0.7, 0.3
_SLOWER_BY = 3.0  # at most, as far as it is believed


@dataclass(frozen=True)
class Rate:
    """seconds: per unit of a workload, or per second that the card's costs say (near 1).
    network_bytes: memory besides the workload's own."""

    seconds: float
    network_bytes: int | None = None


@dataclass(frozen=True)
class RateKey:
    """What a rate holds for. unit: "step" of a workload, or "card" for seconds of a card."""

    model: str
    device: str
    unit: str

    @staticmethod
    def of(model: ModelEntry, device: str, unit: str) -> RateKey:
        """With what its weights are, how the device is called, and the version of torch."""
        weights = ",".join(file.sha256[:16] for file in model.files)
        torch = sys.modules.get("torch")
        version = "" if torch is None else str(torch.__version__)
        return RateKey(f"{model.id} {weights}", f"{_named(device)} torch {version}", unit)

    @property
    def text(self) -> str:
        """In one line, as the file has it."""
        return f"{self.model} | {self.device} | {self.unit}"


def rates_file() -> Path | None:
    """Where this user's rates lie: rates.json in the user's data folder, or the file that the
    variable DIFFUSIONSEG_RATES names; None when that is empty: nothing is remembered then."""
    chosen = os.environ.get(_FILE_VARIABLE)
    if chosen is None:
        return user_data_folder() / "rates.json"
    return Path(os.path.expanduser(chosen)) if chosen.strip() else None


class Rates:
    """The rate of each model on each device. file: kept there too; None forgets with the process.

    A file that is damaged or cannot be written is as if it were empty.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: OrderedDict[str, Rate] = OrderedDict()
        if file is not None:
            self._known.update(_read(file))

    def find(self, key: RateKey) -> Rate | None:
        """Of the runs so far; None before the first."""
        return self._known.get(key.text)

    def learn(self, key: RateKey, seconds: float, network_bytes: int | None = None) -> None:
        """From a run that was neither stopped nor cancelled: seconds per unit."""
        known = self._known.pop(key.text, None)
        if known is not None:
            seconds = _mixed(known.seconds, seconds)
            if known.network_bytes is not None:
                # Memory that the process kept from an earlier run does not show as a rise again.
                network_bytes = max(network_bytes or 0, known.network_bytes)
        self._known[key.text] = Rate(seconds, network_bytes)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        # What another process learned meanwhile is kept.
        merged = {**_read(self._file), **self._known}
        plain = {key: [one.seconds, one.network_bytes] for key, one in merged.items()}
        kept = dict(list(plain.items())[-_MOST:])
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(self._file) as stream:
                stream.write(json.dumps({"version": 1, "rates": kept}, indent=1).encode())
        except (OSError, OutputError) as error:
            _LOG.info("What runs take here is not remembered: %s", error)


def _mixed(known: float, new: float) -> float:
    weight = _FASTER if new < known else _SLOWER
    return weight * min(new, _SLOWER_BY * known) + (1 - weight) * known


def _read(file: Path) -> dict[str, Rate]:
    try:
        if file.stat().st_size > _LARGEST_FILE:
            return {}
        values = json.loads(file.read_bytes())
        if values["version"] != 1:
            return {}
        return {str(key): _rate(one) for key, one in values["rates"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        _LOG.info("What runs took here, in %s, cannot be read: %s", file, error)
        return {}


def _rate(values: Any) -> Rate:
    seconds, size = values
    if isinstance(seconds, bool) or not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"{seconds!r} are no seconds")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise ValueError(f"{size!r} are no bytes")
    return Rate(float(seconds), size)


def _named(device: str) -> str:
    """The GPU's own name where torch tells it: another card in the same slot is another device."""
    torch: Any = sys.modules.get("torch")
    kind = device.partition(":")[0]
    if torch is None or kind not in ("cuda", "xpu"):
        return device
    try:
        return f"{kind} {getattr(torch, kind).get_device_name(device)}"
    except (AssertionError, AttributeError, RuntimeError):  # it does not answer
        return device
