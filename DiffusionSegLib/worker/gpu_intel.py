"""The GPUs that torch calls "xpu": Intel's Arc and Data Center GPU Max."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from DiffusionSegLib.compute.device_memory import gpu_memory
from DiffusionSegLib.compute.trial import trial_failure
from DiffusionSegLib.worker.answers import DeviceReport
from DiffusionSegLib.worker.computer import Computer
from DiffusionSegLib.worker.gpu_trouble import pip_command, trouble
from DiffusionSegLib.worker.graphics_cards import made_by

__all__ = ["xpu_reports"]

_DRIVERS = "https://dgpu-docs.intel.com/driver/client/overview.html"
# How system tools name what torch can use; other GPUs of Intel only draw.
_ABLE = ("arc", "data center gpu", "dg2", "battlemage", "meteor lake", "lunar lake", "arrow lake")


def xpu_reports(torch: Any, computer: Computer) -> list[DeviceReport]:
    """Every such GPU; without one a single report that says why there is none."""
    if torch.xpu.is_available():
        return [_one(index, torch, computer) for index in range(torch.xpu.device_count())]
    if computer.system == "Darwin":
        return [DeviceReport("xpu", "Intel GPU", False, "Macs have no Intel GPU for torch.")]
    cards = _able(made_by("Intel", computer.cards()))
    title = ", ".join(cards) or "Intel GPU"
    if not cards:
        reason = "No Intel GPU that torch can use (Arc, Data Center GPU Max) was found."
        return [DeviceReport("xpu", title, False, reason)]
    if not torch.xpu._is_compiled():
        reason = (
            f"This torch ({torch.__version__}) was built without XPU, so it cannot use this GPU; "
            f"install the build xpu: {pip_command('xpu')}."
        )
        return [DeviceReport("xpu", title, False, reason)]
    reason = (
        "This Intel GPU does not answer; install Intel's driver with Level Zero "
        f"({_DRIVERS}){_group(computer)}."
    )
    return [DeviceReport("xpu", title, False, reason, broken=True)]


def _one(index: int, torch: Any, computer: Computer) -> DeviceReport:
    name = f"xpu:{index}"
    title, total, free = f"Intel GPU {index}", None, None
    try:
        title = str(torch.xpu.get_device_name(index))
        total, free = gpu_memory(name, torch)
        failure = trial_failure(name, torch)
    except (RuntimeError, AssertionError, OSError) as error:
        failure = error
    reason = "" if failure is None else trouble(failure, name, torch, computer)
    return DeviceReport(name, title, not reason, reason, total, free, broken=bool(reason))


def _able(cards: Sequence[str]) -> list[str]:
    return [card for card in cards if any(word in card.lower() for word in _ABLE)]


def _group(computer: Computer) -> str:
    return " and add your user to the group render" if computer.system == "Linux" else ""
