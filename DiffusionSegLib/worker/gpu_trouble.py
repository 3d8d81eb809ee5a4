"""What is said of a GPU that is there and does not compute: why, and what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.compute.device import is_memory_failure
from DiffusionSegLib.environments.torch_builds import CPU, least_driver, torch_build
from DiffusionSegLib.worker.computer import SYSTEMS, Computer

__all__ = ["old_driver", "pip_command", "trouble"]

_INDEX = "https://download.pytorch.org/whl"
_NO_CODE = ("no kernel image", "invalid device function", "not compatible with the current")
_BUSY = ("busy or unavailable",)
_OLD_DRIVER = ("driver version is insufficient", "driver on your system is too old")
_SAID = (
    (
        ("found no nvidia driver",),
        "torch does not reach the driver of this GPU; start a container with --gpus all, else "
        "install the driver again (https://www.nvidia.com/drivers).",
    ),
    (
        ("ecc error", "uncorrectable"),
        "This GPU reports errors in its memory (ECC); restart the computer, and have the GPU "
        "checked when they come back.",
    ),
    (
        ("error 802", "system not yet initialized"),
        "The service that joins the NVIDIA GPUs of this computer is not running; start it: "
        "systemctl start nvidia-fabricmanager.",
    ),
    (
        ("error 803", "error 804", "driver combination", "forward compatibility"),
        "The parts of the NVIDIA driver are of different versions, as after an update; restart "
        "the computer.",
    ),
    (
        ("error 999", "unknown error", "gpu is lost", "fallen off the bus", "launch failure"),
        "The driver of this GPU has failed, as it may after sleep; restart the computer.",
    ),
)


def trouble(error: Exception, device: str, torch: Any, computer: Computer) -> str:
    """One sentence for what the smallest computation, or a question to the GPU, raised."""
    text = str(error).lower()
    if is_memory_failure(error):
        return _full(device, torch)
    if any(words in text for words in _OLD_DRIVER):
        return old_driver(torch, computer)
    if any(words in text for words in _NO_CODE):
        return _no_code(device, torch, computer)
    if any(words in text for words in _BUSY):
        number = device.partition(":")[2] or "0"
        return (
            "Another process has this GPU for itself; end that process (nvidia-smi lists it), or "
            f"let several use the GPU: nvidia-smi -i {number} -c DEFAULT."
        )
    for known, sentence in _SAID:
        if any(words in text for words in known):
            return sentence
    return (
        f"The smallest computation fails on this GPU ({_first_line(error)}); update its driver "
        "and restart the computer, or choose another device."
    )


def old_driver(torch: Any, computer: Computer) -> str:
    """The NVIDIA driver is older than this torch needs: both versions."""
    driver, cuda = computer.driver(), str(torch.version.cuda or "")
    found = f" {driver.version}" if driver and driver.version else ""
    least = least_driver(cuda, computer.is_windows)
    needed = f"the driver {least} or newer" if least else "a newer driver"
    return (
        f"The NVIDIA driver{found} is too old: this torch was built for CUDA {cuda}, which needs "
        f"{needed}; update the driver (https://www.nvidia.com/drivers)."
    )


def pip_command(build: str, version: str = "") -> str:
    """Puts another build in torch's place."""
    what = f"torch=={version}" if version else "torch"
    return f"pip install --force-reinstall {what} --index-url {_INDEX}/{build}"


def _full(device: str, torch: Any) -> str:
    kind, _, index = device.partition(":")
    amount = ""
    try:
        free, total = getattr(torch, kind).mem_get_info(int(index or 0))
        amount = f" ({shown_bytes(free)} of {shown_bytes(total)} are free)"
    except (AttributeError, RuntimeError):  # not even that can be told now
        pass
    lister = " (nvidia-smi lists them)" if _is_nvidia(device, torch) else ""
    return (
        f"Its memory is full{amount}; close the programs that use it{lister}, or choose another "
        "device."
    )


def _is_nvidia(device: str, torch: Any) -> bool:
    return device.startswith("cuda") and getattr(torch.version, "hip", None) is None


def _no_code(device: str, torch: Any, computer: Computer) -> str:
    """A build has code for some architectures; newer and older GPUs have others."""
    index = int(device.partition(":")[2] or 0)
    if not device.startswith("cuda"):
        return f"This torch ({torch.__version__}) has no code for this GPU; install a newer torch."
    if getattr(torch.version, "hip", None) is not None:
        architecture = str(torch.cuda.get_device_properties(index).gcnArchName).partition(":")[0]
        return (
            f"This torch ({torch.__version__}, ROCm {torch.version.hip}) has no code for this GPU, "
            f"whose architecture is {architecture}; install a build that has, or start with the "
            "variable HSA_OVERRIDE_GFX_VERSION set to a related one (10.3.0, 11.0.0)."
        )
    major, minor = torch.cuda.get_device_capability(index)
    served = sorted(_served(torch.cuda.get_arch_list()))
    low, high = (served[0], served[-1]) if served else ((0, 0), (0, 0))
    age = "old" if (major, minor) < low else "new"
    return (
        f"This torch ({torch.__version__}) has no code for so {age} a GPU: its architecture is "
        f"sm_{major}{minor}, and this build has code for {_sm(low)} to {_sm(high)}; "
        f"{_other_build(f'{major}.{minor}', computer)}"
    )


def _served(architectures: list[str]) -> list[tuple[int, int]]:
    """Of "sm_86" (8, 6), of "sm_120a" (12, 0)."""
    found = [re.match(r"(?:sm|compute)_(\d+)(\d)", one) for one in architectures]
    return [(int(one[1]), int(one[2])) for one in found if one]


def _sm(version: tuple[int, int]) -> str:
    return f"sm_{version[0]}{version[1]}"


def _other_build(capability: str, computer: Computer) -> str:
    driver = computer.driver()
    if driver is not None:
        driver = replace(driver, capabilities=(capability,))
        build = torch_build(driver, SYSTEMS.get(computer.system))
        if build.name != CPU:
            return f"install the build {build.name}: {pip_command(build.name, build.version)}."
    return "update the driver and torch, or compute with the processor."


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].strip().rstrip(".:")[:300]
