"""Which build of torch fits a graphics card and its driver.

Sources, read in November 2026:
- torch 2.13.0 is built for the processor and for CUDA 12.6, 13.0 and 13.2 (the list of builds at
  https://data.pyg.org/whl/); 2.11.0 is the last one for CUDA 12.8, 2.7.1 for CUDA 11.8 (there, and
  https://pytorch.org/get-started/previous-versions/). https://download.pytorch.org/whl/BUILD has
  them. PyPI has the CUDA 13.0 build for Linux, and the one for the processor for Windows and Mac.
- A CUDA 11, 12 or 13 program runs with drivers from 450.80.02 (Windows 452.39), 525.60.13 (528.33)
  or 580 on ("Minor Version Compatibility", https://docs.nvidia.com/deploy/cuda-compatibility/).
- Compute capabilities: CUDA 11.8 builds have 3.7 to 9.0, CUDA 12.6 builds 5.0 to 9.0, CUDA 12.8
  builds 7.0 to 12.0, CUDA 13 builds 7.5 to 12.0 and, as PTX, all newer ones
  (pytorch_pkg_helpers/cuda.py of pytorch/test-infra, and RELEASE.md of pytorch).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace

from DiffusionSegLib.environments.driver import NvidiaDriver, numbers

__all__ = [
    "CPU", "PINNED", "PYPI", "TorchBuild", "find_build", "index_address", "least_driver",
    "pypi_serves", "requirement", "torch_build", "torch_builds",
]  # fmt: skip

PINNED = "2.13.0"  # constraints.txt; a test compares them
CPU, PYPI = "cpu", "pypi"  # the second: whichever build PyPI has for this system
_INDEX, _MIRROR = "https://download.pytorch.org/whl", "DIFFUSIONSEG_TORCH_INDEX"


@dataclass(frozen=True)
class TorchBuild:
    """name: as in the address of its index; version: of torch; cuda: "" for the processor;
    capabilities: oldest and newest of the cards that it has code for, None without an end;
    download_bytes and disk_bytes: about, of torch with the libraries that it brings along."""

    name: str
    version: str
    cuda: str
    capabilities: tuple[tuple[int, int], tuple[int, int] | None] | None
    download_bytes: int
    disk_bytes: int
    newest_python: tuple[int, int] = (3, 14)


_TABLE = (
    TorchBuild("cu132", PINNED, "13.2", ((7, 5), None), 2_400_000_000, 5_500_000_000),
    TorchBuild("cu130", PINNED, "13.0", ((7, 5), None), 2_400_000_000, 5_500_000_000),
    TorchBuild("cu126", PINNED, "12.6", ((5, 0), (9, 0)), 3_000_000_000, 6_000_000_000),
    TorchBuild("cu128", "2.11.0", "12.8", ((7, 0), (12, 0)), 3_000_000_000, 6_000_000_000),
    TorchBuild("cu118", "2.7.1", "11.8", ((3, 7), (9, 0)), 2_800_000_000, 6_000_000_000, (3, 13)),
    TorchBuild(CPU, PINNED, "", None, 206_000_000, 900_000_000),
)
_LEAST_DRIVER = {11: ("450.80.02", "452.39"), 12: ("525.60.13", "528.33"), 13: ("580", "580")}


def torch_builds() -> tuple[TorchBuild, ...]:
    """All that there are, the best first: the newest torch, of these the newest CUDA; the one for
    the processor last."""
    return _TABLE


def find_build(name: str) -> TorchBuild:
    """By the name that a wheel gives it; one that is not in the table, or that a wheel of PyPI does
    not tell, is taken to be as large as others."""
    for build in _TABLE:
        if build.name == name:
            return build
    large = name.startswith("cu") or (name == PYPI and sys.platform == "linux")
    return replace(_TABLE[1] if large else _TABLE[-1], name=name)


def requirement(build: TorchBuild, system: str | None = None) -> str:
    """What pip is asked for: on a Mac there is one build only."""
    if (system or sys.platform) == "darwin":
        return f"torch=={build.version}"
    return f"torch=={build.version}+{build.name}"


def index_address(build: TorchBuild, system: str | None = None) -> str:
    """Where pip finds that build, besides the user's own index; "" where PyPI has it.

    DIFFUSIONSEG_TORCH_INDEX may name a mirror of https://download.pytorch.org/whl.
    """
    if (system or sys.platform) == "darwin":
        return ""
    return f"{(os.environ.get(_MIRROR) or _INDEX).rstrip('/')}/{build.name}"


def pypi_serves(build: TorchBuild, system: str | None = None) -> bool:
    """Whether the build that PyPI has will do in its place, where that index cannot be reached."""
    system = system or sys.platform
    if build.version != PINNED:
        return False
    return build.name == CPU or (system == "linux" and build.cuda.startswith("13."))


def least_driver(cuda: str, windows: bool | None = None) -> str:
    """The oldest driver that runs programs of that CUDA ("12.6"); "" when it is not known."""
    windows = sys.platform == "win32" if windows is None else windows
    known = _LEAST_DRIVER.get(next(iter(numbers(cuda)), 0))
    return "" if known is None else known[windows]


def torch_build(driver: NvidiaDriver | None, system: str | None = None) -> TorchBuild:
    """The newest torch, and of its builds the one of the newest CUDA, that the driver and a card
    serve; else the build for the processor. system: as sys.platform."""
    system = system or sys.platform
    if driver is None or not driver.version or system == "darwin":
        return _TABLE[-1]
    for build in _TABLE[:-1]:
        least = least_driver(build.cuda, system == "win32")
        if numbers(driver.version) >= numbers(least) and _has_code_for(build, driver):
            return build
    return _TABLE[-1]


def _has_code_for(build: TorchBuild, driver: NvidiaDriver) -> bool:
    """For one card at least; a card that does not tell its capability is taken for a usual one."""
    if build.capabilities is None or not driver.capabilities:
        return True
    oldest, newest = build.capabilities
    found = [numbers(one) for one in driver.capabilities]
    return any(oldest <= one and (newest is None or one <= newest) for one in found)
