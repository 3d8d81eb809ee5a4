"""Apple's GPU, which torch calls "mps"."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.compute.trial import trial_failure
from DiffusionSegLib.environments.driver import numbers
from DiffusionSegLib.worker.answers import DeviceReport
from DiffusionSegLib.worker.computer import Computer
from DiffusionSegLib.worker.gpu_trouble import trouble
from DiffusionSegLib.worker.memory import computer_memory

__all__ = ["mps_report"]

# torch's version, and the macOS from which on it uses the GPU; pytorch issues 139425 and 177819.
_LEAST_MACOS = (((2, 9), "14.0"), ((2, 5), "13.0"), ((0,), "12.3"))


def mps_report(torch: Any, computer: Computer) -> DeviceReport:
    """It has the computer's memory, shared with the processor."""
    if torch.backends.mps.is_available():
        failure = trial_failure("mps", torch)
        reason = "" if failure is None else trouble(failure, "mps", torch, computer)
        total, free = computer_memory()
        return DeviceReport("mps", "Apple GPU", not reason, reason, total, free, bool(reason))
    if computer.system != "Darwin":
        return _unusable("This is not an Apple computer.")
    if computer.machine != "arm64":
        return _unusable("This Mac has an Intel processor; torch uses the GPU of Apple's only.")
    if not torch.backends.mps.is_built():
        return _unusable(
            f"This torch ({torch.__version__}) was built without support for Apple GPUs; install "
            "the usual one: pip install --force-reinstall torch.",
            broken=True,
        )
    least = next(macos for version, macos in _LEAST_MACOS if numbers(torch.__version__) >= version)
    if computer.macos and numbers(computer.macos) < numbers(least):
        return _unusable(
            f"macOS {computer.macos} is too old: this torch ({torch.__version__}) uses the GPU "
            f"from macOS {least} on; update macOS.",
            broken=True,
        )
    return _unusable("macOS offers torch no GPU here, as in a virtual machine.")


def _unusable(reason: str, broken: bool = False) -> DeviceReport:
    return DeviceReport("mps", "Apple GPU", False, reason, broken=broken)
