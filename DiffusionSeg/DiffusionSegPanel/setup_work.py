"""What setting up does away from the main thread. Knows nothing of Qt and MRML."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.environments import building
from DiffusionSegLib.environments.driver import nvidia_driver
from DiffusionSegLib.environments.finding import Finding, Remedy
from DiffusionSegLib.environments.findings import findings
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.environments.probing import probe
from DiffusionSegLib.environments.removal import Removable, removable, remove_all
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.command import default_command

__all__ = ["build", "gpuFindings", "listed", "ofEnvironment", "plan", "pythonFindings", "remove"]


def plan(
    environment: IsolatedEnvironment, extras: Collection[str], wheels: Path | None
) -> tuple[str, ...]:
    """The sentences that say what `build` would do. Raises InputError."""
    return building.plan_environment(environment, extras, wheels, nvidia_driver()).words


def build(
    environment: IsolatedEnvironment,
    extras: Collection[str],
    wheels: Path | None,
    progress: Progress,
) -> None:
    """Make or mend the environment; raises DiffusionSegError, Cancelled."""
    progress.report(0.0, _("Looking for a Python"))
    planned = building.plan_environment(environment, extras, wheels, nvidia_driver())
    building.build(environment, planned, progress)


def listed(environment: IsolatedEnvironment | None) -> tuple[Any, ...]:
    """What a removal would delete: (folder, bytes) of an environment, or all Removables."""
    if environment is not None:
        return environment.folder, environment.size_bytes()
    return removable()


def remove(
    environment: IsolatedEnvironment | None, items: Collection[Removable], progress: Progress
) -> int:
    """Bytes freed; of the environment, or of all those items."""
    progress.report(0.0, _("Deleting"))
    return building.remove(environment) if environment is not None else remove_all(items)


def ofEnvironment(environment: IsolatedEnvironment, isNeeded: bool) -> tuple[Finding, ...]:
    """What its state says, without starting anything."""
    sentence = {
        "incomplete": _(
            "The environment in {folder} is not complete: its installation was stopped. Repair "
            "goes on where it ended."
        ),
        "outdated": _(
            "The environment in {folder} was made for an older DiffusionSeg or from a Python that "
            "is gone. Repair brings it up to date."
        ),
    }.get(environment.state)
    if sentence is None:
        return ()
    code = f"environment-{environment.state}"
    words = sentence.format(folder=environment.folder)
    return (Finding(code, words, Remedy.REPAIR_ENVIRONMENT, isNeeded),)


def pythonFindings(
    environment: IsolatedEnvironment | None, extras: Collection[str], hasExtension: bool
) -> tuple[Finding, ...]:
    """What is wrong where the worker runs: in that environment, or in Slicer's own Python."""
    words = [default_command()[0]] if environment is None else [str(environment.python), "-I"]
    try:
        found = probe(words)
    except InputError as error:
        mend = Remedy.CREATE_ENVIRONMENT if environment is None else Remedy.REPAIR_ENVIRONMENT
        return (Finding("python-broken", str(error), mend, True),)
    isSlicers = environment is None
    return findings(
        found, nvidia_driver(), extras, in_slicer=isSlicers, pytorch_extension=hasExtension
    )


def gpuFindings(
    environment: IsolatedEnvironment | None, extras: Collection[str], hasExtension: bool
) -> tuple[Finding, ...]:
    """The same, if this computer has an NVIDIA GPU at all: else there is nothing to look for."""
    if nvidia_driver() is None:
        return ()
    return pythonFindings(environment, extras, hasExtension)
