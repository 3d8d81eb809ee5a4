"""The GPUs that torch calls "cuda": NVIDIA's, and AMD's in a build for ROCm."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.compute.device_memory import gpu_memory
from DiffusionSegLib.compute.trial import trial_failure
from DiffusionSegLib.environments.driver import NvidiaDriver, numbers
from DiffusionSegLib.environments.torch_builds import CPU, least_driver, torch_build
from DiffusionSegLib.worker.answers import DeviceReport
from DiffusionSegLib.worker.computer import SYSTEMS, Computer
from DiffusionSegLib.worker.gpu_trouble import old_driver, pip_command, trouble
from DiffusionSegLib.worker.graphics_cards import made_by

__all__ = ["cuda_reports"]

_DRIVERS = "https://www.nvidia.com/drivers"
_SILENT = (
    "This AMD GPU does not answer; check that the driver amdgpu is loaded, that your user is in "
    "the groups render and video, and that HIP_VISIBLE_DEVICES does not hide it."
)
_SILENT_ON_WINDOWS = "This AMD GPU does not answer; install AMD's newest driver for it."
_BUILDS = "https://pytorch.org/get-started/locally"


def cuda_reports(torch: Any, computer: Computer) -> list[DeviceReport]:
    """Every such GPU; without one a single report that says why there is none."""
    if torch.cuda.is_available():
        return [_one(index, torch, computer) for index in range(torch.cuda.device_count())]
    if computer.system == "Darwin":
        return [_absent("NVIDIA GPU", "Macs have no NVIDIA GPU that torch can use.")]
    driver = computer.driver()
    if getattr(torch.version, "hip", None) is not None:
        return [_silent_amd(driver, torch, computer)]
    if driver is not None:
        return [_silent_nvidia(driver, torch, computer)]
    return [_without_driver(torch, computer)]


def _one(index: int, torch: Any, computer: Computer) -> DeviceReport:
    name = f"cuda:{index}"
    is_amd = getattr(torch.version, "hip", None) is not None
    title, total, free = f"{'AMD' if is_amd else 'NVIDIA'} GPU {index}", None, None
    try:
        title = str(torch.cuda.get_device_name(index)) + (" (ROCm)" if is_amd else "")
        total, free = gpu_memory(name, torch)
        failure = trial_failure(name, torch)
    except (RuntimeError, AssertionError, OSError) as error:
        failure = error
    reason = "" if failure is None else trouble(failure, name, torch, computer)
    return DeviceReport(name, title, not reason, reason, total, free, broken=bool(reason))


def _silent_nvidia(driver: NvidiaDriver, torch: Any, computer: Computer) -> DeviceReport:
    title = ", ".join(driver.gpus) or "NVIDIA GPU"
    if not driver.version:
        return _broken(title, _no_driver(driver.problem))
    if torch.version.cuda is None:
        return _broken(title, _other_build(driver, torch, computer))
    least = least_driver(torch.version.cuda, computer.is_windows)
    if least and numbers(driver.version) < numbers(least):
        return _broken(title, old_driver(torch, computer))
    if "CUDA_VISIBLE_DEVICES" in computer.variables:
        return _broken(title, "The variable CUDA_VISIBLE_DEVICES hides every NVIDIA GPU; unset it.")
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError, OSError) as error:
        return _broken(title, trouble(error, "cuda", torch, computer))
    return _broken(title, "torch does not find this GPU; restart the computer.")


def _other_build(driver: NvidiaDriver, torch: Any, computer: Computer) -> str:
    build = torch_build(driver, SYSTEMS.get(computer.system))
    if build.name == CPU:
        return (
            f"The NVIDIA driver {driver.version} is too old for every build of torch that fits "
            f"this GPU; update the driver ({_DRIVERS}), then install a build for CUDA."
        )
    return (
        f"This torch ({torch.__version__}) was built without CUDA, so it cannot use this GPU; "
        f"install the build {build.name}: {pip_command(build.name, build.version)}."
    )


def _no_driver(said: str = "") -> str:
    told = f" ({said})" if said else ""
    return (
        f"The driver of this GPU is not installed or does not answer{told}; install NVIDIA's "
        f"driver ({_DRIVERS}) and restart the computer."
    )


def _silent_amd(driver: NvidiaDriver | None, torch: Any, computer: Computer) -> DeviceReport:
    """A build for ROCm that sees no GPU."""
    cards = made_by("AMD", computer.cards())
    if cards:
        return _broken(", ".join(cards), _SILENT_ON_WINDOWS if computer.is_windows else _SILENT)
    if driver is not None:
        return _broken(
            ", ".join(driver.gpus) or "NVIDIA GPU",
            f"This torch ({torch.__version__}) was built for AMD GPUs; install a build for CUDA "
            f"({_BUILDS}).",
        )
    return _absent("AMD GPU", "No AMD GPU was found in this computer.")


def _without_driver(torch: Any, computer: Computer) -> DeviceReport:
    cards = computer.cards()
    if nvidia := made_by("NVIDIA", cards):
        return _broken(", ".join(nvidia), _no_driver())
    if amd := made_by("AMD", cards):
        return _absent(", ".join(amd), _for_amd(torch, computer))
    others = [card for card in cards if card not in made_by("Intel", cards)]
    if others:
        return _absent(
            ", ".join(others), "torch cannot use a graphics card of this kind; the processor does."
        )
    return _absent("NVIDIA GPU", "No NVIDIA GPU was found in this computer.")


def _for_amd(torch: Any, computer: Computer) -> str:
    if computer.is_windows:
        return "The usual torch for Windows cannot use an AMD GPU; the processor is used instead."
    return (
        f"This torch ({torch.__version__}) was built without ROCm, so it cannot use an AMD GPU; if "
        f"ROCm serves yours, install the build for it ({_BUILDS})."
    )


def _broken(title: str, reason: str) -> DeviceReport:
    return DeviceReport("cuda", title, False, reason, broken=True)


def _absent(title: str, reason: str) -> DeviceReport:
    return DeviceReport("cuda", title, False, reason)
