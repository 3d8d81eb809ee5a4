"""Makes, mends and removes the environment of the worker."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.environments.packages import Package, packages
from DiffusionSegLib.environments.torch_builds import torch_build
from DiffusionSegLib.progress import Progress

__all__ = ["BuildPlan", "build", "plan_environment", "remove"]


@dataclass(frozen=True)
class BuildPlan:
    """interpreter: the Python that it is made from, None when one has to be fetched first;
    python_version: its version ("3.12"); torch_build: "cpu", "cu126", ...; wheels: a folder or a
    bundle to install from, without a network; download_bytes, disk_bytes: about; words: the
    sentences for the page."""

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

    driver: of this computer (see `nvidia_driver`). interpreter: the Python to take (None: the best
    that is found). Raises InputError with a sentence when none suits or the wheels do not fit.
    """
    chosen = torch_build(driver)
    needed = packages(extras)
    download = chosen.download_bytes + sum(one.download_bytes for one in needed[2:])
    return BuildPlan(interpreter, "", chosen.name, needed, tuple(extras), wheels, download,
                     3 * download, ("An environment is made.",))  # fmt: skip


def build(environment: IsolatedEnvironment, plan: BuildPlan, progress: Progress) -> None:
    """Until it is "ready": the worker there has answered.

    Also mends one that is damaged, and goes on where a stopped build ended. Raises InputError,
    OutputError (the disk), WorkerError (the worker there does not answer), Cancelled within a
    second; the environment is then "incomplete".
    """
    raise NotImplementedError("the first commit has no builder")


def remove(environment: IsolatedEnvironment) -> int:
    """Bytes freed. Only what `build` made: whatever else is in the folder stays.

    Raises OutputError with the file that is in use.
    """
    return 0
