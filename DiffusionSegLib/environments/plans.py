"""What a build will do, told before it is done."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.environments.deleting import free_bytes
from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.interpreters import (
    NEWEST,
    OLDEST,
    VERSIONS,
    Interpreter,
    best_interpreter,
)
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.environments.packages import Package, packages
from DiffusionSegLib.environments.torch_builds import CPU, TorchBuild, find_build, torch_build
from DiffusionSegLib.environments.wheel_set import WheelSet, read_wheels
from DiffusionSegLib.errors import InputError

__all__ = ["FETCHED", "BuildPlan", "free_bytes", "plan_environment"]

FETCHED = (3, 12)  # the version that is fetched where the computer has none
_FETCH_BYTES, _FETCH_DISK_BYTES = 60_000_000, 250_000_000
_UNPACKED = 4.5  # bytes on the disk of a byte of wheels; measured on Linux, all but torch
_LONGEST_WINDOWS_FOLDER = 90
_PIP_BYTES = 20_000_000


@dataclass(frozen=True)
class BuildPlan:
    """interpreter: the Python that it is made from, None when one has to be fetched first;
    python_version: its version ("3.12"); torch_build: "cpu", "cu126", ...; wheels: a folder or a
    bundle to install from, without a network; download_bytes, disk_bytes: about, the latter while
    it is built; words: the sentences for the page."""

    interpreter: Path | None
    python_version: str
    torch_build: str
    packages: tuple[Package, ...]
    extras: tuple[str, ...]
    wheels: Path | None
    download_bytes: int
    disk_bytes: int
    words: tuple[str, ...]


def plan_environment(
    environment: IsolatedEnvironment,
    extras: Collection[str] = (),
    wheels: Path | None = None,
    driver: NvidiaDriver | None = None,
    interpreter: Path | None = None,
) -> BuildPlan:
    """What `build` would do; takes a second or two, since Pythons are tried.

    driver: of this computer (see `nvidia_driver`). interpreter: the Python to take (None: the one
    that it was made from before, else the best that is found). Raises InputError with a sentence
    when none suits or the wheels do not fit.
    """
    needed = packages(extras)
    own = None if wheels is None else read_wheels(Path(wheels))
    chosen = torch_build(driver) if own is None else find_build(own.torch_build())
    versions = [one for one in VERSIONS if one <= chosen.newest_python]
    if own is not None:
        versions = own.fitting(needed, versions)
    found, rejected = _interpreter(environment, interpreter, versions)
    if found is None:
        _check_fetching(own, interpreter, rejected)
    download = 0 if own is not None else _download(chosen, needed, found is None)
    disk = _disk(chosen, needed, found is None, 0 if own is None else own.size)
    words = (
        _what(environment),
        _which_python(environment, found, rejected),
        _which_torch(chosen, driver, own),
        _how_big(environment, download, disk, own),
        *_path_warning(environment),
    )
    python = FETCHED if found is None else found.minor
    return BuildPlan(
        None if found is None else found.path,
        ".".join(map(str, python)),
        chosen.name,
        needed,
        tuple(extras),
        None if own is None else own.source,
        download,
        disk,
        words,
    )


def _interpreter(
    environment: IsolatedEnvironment, wanted: Path | None, versions: Sequence[tuple[int, int]]
) -> tuple[Interpreter | None, tuple[Interpreter, ...]]:
    if wanted is not None:
        return best_interpreter([Path(wanted)], versions)
    marker = environment.marker
    if marker is not None and marker.interpreter and Path(marker.interpreter).is_file():
        found, rejected = best_interpreter([Path(marker.interpreter)], versions)
        if found is not None:
            return found, rejected
    return best_interpreter(None, versions)


def _check_fetching(
    own: WheelSet | None, wanted: Path | None, rejected: Sequence[Interpreter]
) -> None:
    """Whether a Python may be fetched where none is found."""
    if wanted is not None:
        reason = rejected[0].reason if rejected else "it is not there"
        raise InputError(
            f"The Python {wanted} cannot carry the environment: {reason}. Choose another one, or "
            "leave the choice to the program."
        )
    if own is not None:
        raise InputError(
            f"No Python of this computer fits the wheels in {own.source}{_reasons(rejected)}. "
            "Install the version of Python that they were made with."
        )
    if sys.platform == "darwin" and any("Intel" in one.reason for one in rejected):
        raise InputError(
            "torch has no builds for Macs with an Intel processor since version 2.3, and 2.4 is "
            "needed; use another computer, or a worker on one (see the worker command)."
        )


def _download(chosen: TorchBuild, needed: Sequence[Package], fetch: bool) -> int:
    rest = sum(one.download_bytes for one in needed if one.module != "torch")
    return chosen.download_bytes + rest + (_FETCH_BYTES if fetch else 0)


def _disk(chosen: TorchBuild, needed: Sequence[Package], fetch: bool, unpacked: int) -> int:
    """With the downloads, which are kept until it is ready."""
    rest = sum(one.download_bytes for one in needed if one.module != "torch")
    downloads = unpacked or _download(chosen, needed, fetch) + chosen.download_bytes // 2
    installed = chosen.disk_bytes + int(_UNPACKED * rest) + _PIP_BYTES
    return downloads + installed + (_FETCH_DISK_BYTES if fetch else 0)


def _what(environment: IsolatedEnvironment) -> str:
    return (
        f"A Python environment for DiffusionSeg alone is made in {environment.folder}. Nothing of "
        "it goes into 3D Slicer or into another Python, and it can be removed at any time."
    )


def _path_warning(environment: IsolatedEnvironment, system: str = sys.platform) -> tuple[str, ...]:
    """torch's own names have up to 150 letters, and Windows allows 260 unless told otherwise."""
    length = len(str(environment.folder))
    if system != "win32" or length <= _LONGEST_WINDOWS_FOLDER:
        return ()
    return (
        f"The folder's name is long ({length} letters): if files of torch cannot be written, set "
        "DIFFUSIONSEG_ENVIRONMENT to a short one, such as C:\\DiffusionSeg.",
    )


def _which_python(
    environment: IsolatedEnvironment, found: Interpreter | None, rejected: Sequence[Interpreter]
) -> str:
    if found is not None:
        return f"It is made from Python {found.version}, {found.path}."
    version = ".".join(map(str, FETCHED))
    return (
        f"This computer has no Python from {'.'.join(map(str, OLDEST))} to "
        f"{'.'.join(map(str, NEWEST))} that can carry it{_reasons(rejected)}, so Python {version} "
        f"is fetched from github.com by uv, a package of PyPI; both lie in {environment.tools} "
        "and go with the environment."
    )


def _reasons(rejected: Sequence[Interpreter]) -> str:
    shown = [f"{one.path}: {one.reason}" for one in rejected[:4]]
    more = f"; and {len(rejected) - 4} more" if len(rejected) > 4 else ""
    return f" ({'; '.join(shown)}{more})" if shown else ""


def _which_torch(chosen: TorchBuild, driver: NvidiaDriver | None, own: WheelSet | None) -> str:
    if own is not None:
        return f"Everything is taken from {own.source}; no network is used."
    if chosen.name != CPU and driver is not None:
        return (
            f"torch {chosen.version} for CUDA {chosen.cuda} is taken, the newest that the driver "
            f"{driver.version} and the GPU ({', '.join(driver.gpus)}) serve."
        )
    if sys.platform == "darwin":
        return f"torch {chosen.version} is taken, which computes on the processor or the Apple GPU."
    if driver is None:
        return (
            f"torch {chosen.version} for the processor is taken, because no NVIDIA GPU was found."
        )
    return (
        f"torch {chosen.version} for the processor is taken, because the driver "
        f"{driver.version or '(none answers)'} of the GPU ({', '.join(driver.gpus)}) is too old "
        "for every build for CUDA; with a newer driver, make the environment again."
    )


def _how_big(
    environment: IsolatedEnvironment, download: int, disk: int, own: WheelSet | None
) -> str:
    loaded = f"About {shown_bytes(download)} are downloaded. " if own is None else ""
    free = free_bytes(environment.folder)
    there = environment.size_bytes()
    here = f", of which {shown_bytes(there)} are there already" if there else ""
    words = f"{loaded}About {shown_bytes(disk)} of the disk are needed while it is made{here}"
    if free is None:
        return f"{words}."
    enough = "" if free >= disk - there else ", which is too little"
    return f"{words}; {shown_bytes(free)} are free there{enough}."
