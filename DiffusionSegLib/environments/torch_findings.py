"""torch that is missing, half there, too old, or does not get on with numpy."""

from __future__ import annotations

import re

from packaging.requirements import Requirement

from DiffusionSegLib.environments.finding import Finding, Place
from DiffusionSegLib.environments.interpreters import OLDEST
from DiffusionSegLib.environments.package_findings import satisfies
from DiffusionSegLib.environments.packages import packages
from DiffusionSegLib.environments.probing import Probe

__all__ = ["torch_findings"]

_LIBRARY = re.compile(
    r"WinError 126|WinError 1114|WinError 127|DLL load failed|cannot open shared object|"
    r"Library not loaded|undefined symbol",
    re.IGNORECASE,
)
_LONG = re.compile(r"WinError 206|filename or extension is too long", re.IGNORECASE)
_RUNTIME = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
_LONGEST_WINDOWS_PATH = 100  # of the folder; torch's own names have up to 150 letters


def torch_findings(probe: Probe, place: Place) -> list[Finding]:
    """At most one of its import, and those of what it needs."""
    found = [*_python(probe, place), *_paths(probe, place)]
    if probe.torch is None:
        # Where numpy ended the process, torch was not tried.
        untried = probe.numpy_problem and probe.torch_files and not probe.torch_problem
        return found if untried else [*found, _not_importable(probe, place)]
    return [*found, *_too_old(probe, place), *_numpy(probe, place)]


def _python(probe: Probe, place: Place) -> list[Finding]:
    parts = tuple(int(part) for part in re.findall(r"\d+", probe.version)[:2])
    if parts >= OLDEST:
        return []
    return [
        Finding(
            "python-too-old",
            f"The Python {probe.python} is version {probe.version}, and "
            f"{'.'.join(map(str, OLDEST))} or newer is needed; choose another one, or create an "
            "environment for the worker.",
            place.install,
            True,
        )
    ]


def _paths(probe: Probe, place: Place) -> list[Finding]:
    """Only where torch fails and the path may be the reason."""
    is_long = probe.system == "win32" and len(probe.prefix) > _LONGEST_WINDOWS_PATH
    if probe.torch is not None or not (is_long or _LONG.search(probe.torch_problem)):
        return []
    return [
        Finding(
            "path-too-long",
            f"The folder {probe.prefix} has a long name ({len(probe.prefix)} letters), and torch's "
            "files in it exceed what Windows allows; switch long paths on "
            "(https://pip.pypa.io/warnings/enable-long-paths) or choose a folder with a shorter "
            f"name, such as C:\\DiffusionSeg, and {place.words}.",
            place.replace_torch,
            True,
        )
    ]


def _not_importable(probe: Probe, place: Place) -> Finding:
    version = probe.packages.get("torch")
    problem = probe.torch_problem
    if not problem and not probe.torch_files and version is None:
        return Finding(
            "torch-missing",
            f"The package torch, which runs the networks, is not installed in {place.python}; "
            f"{place.words}.",
            place.install_torch,
            True,
        )
    if problem and _LIBRARY.search(problem) and version is not None:
        return _library(probe, place, version)
    named = f"torch {version}" if version else "torch"
    what = problem or (
        "it is listed as installed, and its files are gone"
        if not probe.torch_files
        else "its folder is there and empty"
    )
    return Finding(
        "torch-half-installed",
        f"{named} in {place.python} is installed only in part ({what}); {place.again}.",
        place.replace_torch,
        True,
    )


def _library(probe: Probe, place: Place, version: str) -> Finding:
    advice = place.again
    if probe.system == "win32":
        advice = (
            f"install Microsoft's Visual C++ runtime ({_RUNTIME}) and restart the computer; if "
            f"that does not help, {place.again}"
        )
    return Finding(
        "torch-library-missing",
        f"torch {version} in {place.python} cannot load a library that it needs "
        f"({probe.torch_problem}); {advice}.",
        place.replace_torch,
        True,
    )


def _too_old(probe: Probe, place: Place) -> list[Finding]:
    needed = next(one for one in packages() if one.module == "torch")
    specifier = Requirement(needed.requirement).specifier
    if probe.torch is None or satisfies(specifier, probe.torch):
        return []
    return [
        Finding(
            "torch-too-old",
            f"torch {probe.torch} in {place.python} does not do: {specifier} is needed; "
            f"{place.again}.",
            place.replace_torch,
            True,
        )
    ]


def _numpy(probe: Probe, place: Place) -> list[Finding]:
    if probe.numpy_problem or probe.torch_numpy:
        return []
    numpy = probe.packages.get("numpy", "(unknown)")
    return [
        Finding(
            "numpy-clash",
            f"torch {probe.torch} in {place.python} was built for another numpy than the one there "
            f"({numpy}), so no image can be handed to it; {place.again}.",
            place.replace_torch,
            True,
        )
    ]
