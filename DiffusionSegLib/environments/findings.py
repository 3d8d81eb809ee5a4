"""What is wrong with a Python that should compute, and what mends it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.packages import packages
from DiffusionSegLib.environments.probing import Probe

__all__ = ["Finding", "Remedy", "findings"]


class Remedy(Enum):
    """What the button does."""

    NOTHING = "nothing"
    INSTALL_PACKAGES = "install packages"
    CREATE_ENVIRONMENT = "create environment"
    REPAIR_ENVIRONMENT = "repair environment"
    INSTALL_TORCH = "install torch"
    REPLACE_TORCH = "replace torch"
    INSTALL_PYTORCH_EXTENSION = "install the extension PyTorch"
    UPDATE_DRIVER = "update driver"


@dataclass(frozen=True)
class Finding:
    """code: for programs; sentence: what is wrong, the value found, what to do; blocks: nothing
    can be computed until it is mended."""

    code: str
    sentence: str
    remedy: Remedy
    blocks: bool


@dataclass(frozen=True)
class _Place:
    """Where packages would be put: for each kind of remedy the one that fits there."""

    install: Remedy
    install_torch: Remedy
    replace_torch: Remedy


def findings(
    probe: Probe,
    driver: NvidiaDriver | None,
    extras: Collection[str] = (),
    *,
    in_slicer: bool | None = None,
    pytorch_extension: bool | None = None,
) -> tuple[Finding, ...]:
    """All that is wrong, what blocks first; empty when everything is well.

    in_slicer: the probed Python is that of the running 3D Slicer (None: looked at);
    pytorch_extension: Slicer has the extension PyTorch (None: looked for).
    """
    if in_slicer is None:
        in_slicer = "slicer" in sys.modules and not probe.isolated and probe.prefix == sys.prefix
    if pytorch_extension is None:
        pytorch_extension = importlib.util.find_spec("PyTorchUtils") is not None
    place = _place(probe, in_slicer, pytorch_extension)
    found = _of_torch(probe, driver, place) + _of_packages(probe, extras, place)
    return tuple(sorted(found, key=lambda one: not one.blocks))


def _place(probe: Probe, in_slicer: bool, pytorch_extension: bool) -> _Place:
    if probe.isolated:
        return _Place(*[Remedy.REPAIR_ENVIRONMENT] * 3)
    if in_slicer and not pytorch_extension:
        extension = Remedy.INSTALL_PYTORCH_EXTENSION
        return _Place(Remedy.INSTALL_PACKAGES, extension, extension)
    return _Place(Remedy.INSTALL_PACKAGES, Remedy.INSTALL_TORCH, Remedy.REPLACE_TORCH)


def _of_torch(probe: Probe, driver: NvidiaDriver | None, place: _Place) -> list[Finding]:
    if probe.torch is None:
        return [_broken_torch(probe, place)]
    return []


def _broken_torch(probe: Probe, place: _Place) -> Finding:
    if not probe.torch_problem and not probe.torch_files and "torch" not in probe.packages:
        return Finding(
            "torch-missing",
            f"The package torch, which runs the networks, is not installed in {probe.python}; "
            "install it.",
            place.install_torch,
            True,
        )
    said = probe.torch_problem or "its files are missing"
    return Finding(
        "torch-half-installed",
        f"The package torch in {probe.python} is there only in part ({said}); install it again.",
        place.replace_torch,
        True,
    )


def _of_packages(probe: Probe, extras: Collection[str], place: _Place) -> list[Finding]:
    found = []
    for package in packages(extras):
        requirement = Requirement(package.requirement)
        if requirement.name == "torch":
            continue
        version = probe.packages.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(
                Finding(
                    "package-missing",
                    f"The package {requirement.name} is not installed in {probe.python}. "
                    f"{package.why} Install it.",
                    place.install,
                    True,
                )
            )
        elif not _satisfies(requirement, version):
            found.append(
                Finding(
                    "package-too-old",
                    f"The package {requirement.name} in {probe.python} is of version {version}, "
                    f"and {requirement.specifier} is needed; install it again.",
                    place.install,
                    True,
                )
            )
    return found


def _satisfies(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
