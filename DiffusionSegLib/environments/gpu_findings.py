"""An NVIDIA card that torch cannot use, and why; computing on the processor goes on."""

from __future__ import annotations

import re

from DiffusionSegLib.environments.driver import NvidiaDriver, numbers
from DiffusionSegLib.environments.finding import Finding, Place, Remedy
from DiffusionSegLib.environments.probing import Probe
from DiffusionSegLib.environments.torch_builds import CPU, least_driver, torch_build

__all__ = ["gpu_findings"]

_DRIVERS = "https://www.nvidia.com/drivers"
_NO_KERNEL = re.compile(r"no kernel image|not compatible with the current|sm_\d+ is not", re.I)
_SLOW = "until then everything is computed on the processor, which takes much longer"


def gpu_findings(probe: Probe, driver: NvidiaDriver | None, place: Place) -> list[Finding]:
    """At most one; none without a card, or when it works, or when torch cannot be imported."""
    if driver is None or probe.torch is None or probe.cuda_works or probe.system == "darwin":
        return []
    cards = ", ".join(driver.gpus) or "an NVIDIA GPU"
    if not driver.version:
        said = f" ({driver.problem})" if driver.problem else ""
        return [
            Finding(
                "driver-missing",
                f"This computer has {cards}, and its driver does not answer{said}; install the "
                f"driver from {_DRIVERS} and restart the computer: {_SLOW}.",
                Remedy.UPDATE_DRIVER,
                False,
            )
        ]
    if not probe.torch_cuda:
        return [_cpu_only(probe, driver, cards, place)]
    least = least_driver(probe.torch_cuda, probe.system == "win32")
    if least and numbers(driver.version) < numbers(least):
        return [_old_driver(probe, driver, cards, least, place)]
    wrong = _wrong_capability(probe, driver)
    if wrong:
        return [_other_card(probe, driver, cards, wrong, place)]
    return [
        Finding(
            "gpu-fails",
            f"torch {probe.torch} cannot use {cards} ({probe.cuda_problem or 'no reason given'}). "
            "Restart the computer; look whether another program has taken the GPU's memory and "
            f"whether CUDA_VISIBLE_DEVICES is set: {_SLOW}.",
            Remedy.NOTHING,
            False,
        )
    ]


def _cpu_only(probe: Probe, driver: NvidiaDriver, cards: str, place: Place) -> Finding:
    build = torch_build(driver, probe.system)
    if build.name == CPU:
        return Finding(
            "driver-too-old",
            f"The NVIDIA driver {driver.version} is too old for every build of torch that could "
            f"use {cards}; update it from {_DRIVERS}: {_SLOW}.",
            Remedy.UPDATE_DRIVER,
            False,
        )
    return Finding(
        "torch-cpu-only",
        f"torch {probe.torch} in {place.python} was built for the processor only, and this "
        f"computer has {cards}. To use it, {place.in_build(build.name)} for CUDA "
        f"{build.cuda}: {_SLOW}.",
        place.replace_torch,
        False,
    )


def _old_driver(
    probe: Probe, driver: NvidiaDriver, cards: str, least: str, place: Place
) -> Finding:
    build = torch_build(driver, probe.system)
    other = "" if build.name == CPU else f", or {place.in_build(build.name)}"
    return Finding(
        "driver-too-old",
        f"The NVIDIA driver {driver.version} of {cards} is too old for torch {probe.torch}, which "
        f"was built for CUDA {probe.torch_cuda} and needs {least} or newer; update the driver from "
        f"{_DRIVERS}{other}: {_SLOW}.",
        Remedy.UPDATE_DRIVER,
        False,
    )


def _wrong_capability(probe: Probe, driver: NvidiaDriver) -> str:
    """ "gpu-too-new" or "gpu-too-old" when torch has no code for the card; else ""."""
    capability = numbers(probe.capability or next(iter(driver.capabilities), ""))
    known = [_of_architecture(one) for one in probe.architectures if one.startswith("sm_")]
    if not capability or not known:
        return "gpu-too-new" if _NO_KERNEL.search(probe.cuda_problem) else ""
    if capability < min(known):
        return "gpu-too-old"
    newer = any(one.startswith("compute_") for one in probe.architectures)
    if capability[0] > max(known)[0] and not newer:
        return "gpu-too-new"
    return "gpu-too-new" if _NO_KERNEL.search(probe.cuda_problem) else ""


def _of_architecture(name: str) -> tuple[int, ...]:
    """ "sm_86" is (8, 6), "sm_120" is (12, 0); a letter at the end says nothing here."""
    digits = re.sub(r"\D", "", name)
    return (int(digits[:-1]), int(digits[-1])) if len(digits) > 1 else (0, 0)


def _other_card(probe: Probe, driver: NvidiaDriver, cards: str, code: str, place: Place) -> Finding:
    capability = probe.capability or next(iter(driver.capabilities), "unknown")
    has = ", ".join(probe.architectures) or "none that it tells"
    build = torch_build(driver, probe.system)
    how = "too new" if code == "gpu-too-new" else "too old"
    mend, remedy = place.in_build(build.name), place.replace_torch
    if build.name == CPU or (build.cuda and build.cuda == probe.torch_cuda):
        mend, remedy = (
            "no build of torch known here has such code, so choose the processor",
            (Remedy.UPDATE_DRIVER if how == "too new" else Remedy.NOTHING),
        )
        if how == "too new":
            mend = f"update the driver from {_DRIVERS}, then {place.again}"
    return Finding(
        code,
        f"{cards} (compute capability {capability}) is {how} for torch {probe.torch}, which has "
        f"code for {has}; {mend}: {_SLOW}.",
        remedy,
        False,
    )
