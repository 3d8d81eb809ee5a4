"""Makes, mends and removes the environment of the worker."""

from __future__ import annotations

import errno
import importlib.metadata
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from packaging.utils import canonicalize_name

from DiffusionSegLib.backbones.fetching.lock import one_at_a_time
from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.environments.children import ask
from DiffusionSegLib.environments.constraints import pinned_text
from DiffusionSegLib.environments.deleting import delete
from DiffusionSegLib.environments.discarding import discard_damaged
from DiffusionSegLib.environments.installing import Pip
from DiffusionSegLib.environments.isolated import (
    CACHE,
    TEMPORARY,
    WHEELS,
    WHILE_BUILDING,
    IsolatedEnvironment,
)
from DiffusionSegLib.environments.managed_python import fetch_python
from DiffusionSegLib.environments.marker import NAME, Marker, write_marker
from DiffusionSegLib.environments.package_link import write_link
from DiffusionSegLib.environments.plans import BuildPlan, free_bytes, plan_environment
from DiffusionSegLib.environments.torch_builds import find_build
from DiffusionSegLib.environments.watched import clean_environment, run_watched
from DiffusionSegLib.environments.wheel_set import unpacked
from DiffusionSegLib.errors import InputError, ModelError, OutputError, WorkerError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.answers import Hello
from DiffusionSegLib.worker.client import WorkerClient

__all__ = ["BuildPlan", "build", "plan_environment", "remove"]

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_PIP_S, _START_S, _HELLO_S = 60.0, 180.0, 600.0


def build(environment: IsolatedEnvironment, plan: BuildPlan, progress: Progress) -> None:
    """Until it is "ready": the worker there has answered.

    Also mends one that is damaged, and goes on where a stopped build ended. Raises InputError,
    OutputError (the disk), WorkerError (the worker there does not answer), Cancelled within a
    second; the environment is then "incomplete".
    """
    _check_place(environment)
    try:
        environment.folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(environment):
            _check_space(environment, plan)
            foreign = _begin(environment, plan)
            python = plan.interpreter
            if python is None:
                version = tuple(map(int, plan.python_version.split(".")))
                part = progress.part(0.0, 0.1)
                python = fetch_python(environment, (version[0], version[1]), part).path
            _make_venv(environment, python, progress.part(0.1, 0.15))
            _install(environment, plan, progress.part(0.15, 0.9))
            _link(environment)
            progress.report(0.9, "Starting the worker there")
            _greet(environment, progress.part(0.9, 1.0))
            _finish(environment, plan, python, foreign)
            progress.report(1.0, "The environment is ready")
    except OSError as error:
        raise _disk(environment, error) from error


def remove(environment: IsolatedEnvironment, progress: Progress | None = None) -> int:
    """Bytes freed. Only what `build` made: whatever else is in the folder stays.

    Raises OutputError with the file that is in use, InputError while it is being built, Cancelled
    (what is left is then "incomplete", and can be removed or built again).
    """
    progress = progress or Progress.silent()
    marker, paths = environment.marker, environment.own_paths()
    size, gone = max(environment.size_bytes(), 1), 0

    def tell(more: int) -> None:
        nonlocal gone
        gone += more
        progress.report(gone / size, f"Removing {environment.folder}")

    if not paths:
        return 0
    with _alone(environment):
        tell(0)
        if marker is not None and marker.ready:
            write_marker(environment.folder, replace(marker, ready=False))
        freed = sum(delete(path, tell) for path in paths)
        for folder in (environment.folder, environment.tools):
            with suppress(OSError):  # not when something else is in it, or it is a link
                folder.rmdir()
    with suppress(OSError):
        _lock(environment).unlink()
    return freed


def _check_place(environment: IsolatedEnvironment) -> None:
    folder = environment.folder
    if environment.marker is not None or not folder.exists():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise InputError(
            f"{folder} holds other things, so no environment is made in it; empty it, or set "
            "DIFFUSIONSEG_ENVIRONMENT to another folder."
        )


def _lock(environment: IsolatedEnvironment) -> Path:
    return environment.folder.with_name(f".{environment.folder.name}.lock")


@contextmanager
def _alone(environment: IsolatedEnvironment) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(one_at_a_time(environment.folder))
        except ModelError as error:
            raise InputError(
                f"Another window builds or removes {environment.folder} just now; wait until it is "
                "done."
            ) from error
        yield


def _check_space(environment: IsolatedEnvironment, plan: BuildPlan) -> None:
    free = free_bytes(environment.folder)
    wanted = plan.disk_bytes - environment.size_bytes()
    if free is not None and wanted > free:
        raise OutputError(
            f"The disk of {environment.folder} has too little room: {shown_bytes(wanted)} are "
            f"needed and {shown_bytes(free)} are free. Free some space, or set "
            "DIFFUSIONSEG_ENVIRONMENT to a folder on another disk."
        )


def _begin(environment: IsolatedEnvironment, plan: BuildPlan) -> set[str]:
    """The names in the folder that no build has made."""
    environment.folder.mkdir(parents=True, exist_ok=True)
    before = environment.marker or Marker()
    write_marker(
        environment.folder,
        replace(before, ready=False, extras=plan.extras, torch_build=plan.torch_build),
    )
    own = {path.name for path in environment.own_paths()}
    return {path.name for path in environment.folder.iterdir()} - own


def _make_venv(environment: IsolatedEnvironment, python: Path, progress: Progress) -> None:
    """Kept when it is there, works and was made from that Python."""
    marker = environment.marker or Marker()
    if marker.interpreter == str(python) and _has_pip(environment):
        return
    progress.report(0.0, f"Making the environment from {python}")
    kept = {NAME, CACHE, WHEELS}
    for path in environment.own_paths():
        if path.parent == environment.folder and path.name not in kept:
            delete(path, lambda size: progress.check())
    write_marker(environment.folder, replace(marker, interpreter=str(python), made=()))
    ended = run_watched(
        (str(python), "-I"),
        ("-m", "venv", str(environment.folder)),
        clean_environment(),
        lambda line: None,
        lambda: progress.report(0.5),
    )
    if ended.code or not _has_pip(environment):
        last = " ".join(ended.lines[-2:])[:300] or "it said nothing"
        raise InputError(
            f"The Python {python} could not make the environment {environment.folder} ({last}). "
            "Install Python 3.12 from https://www.python.org/downloads/ and try again."
        )


def _has_pip(environment: IsolatedEnvironment) -> bool:
    """Whole enough to install: a build may have been stopped while pip itself was written."""
    code = "import pip._internal.commands.install, pip._vendor.resolvelib"
    command = (str(environment.python), "-I", "-c", code)
    try:
        return ask(command, _PIP_S, clean_environment())[0] == 0
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def _install(environment: IsolatedEnvironment, plan: BuildPlan, progress: Progress) -> None:
    site = environment.site_packages
    if site is not None:
        discard_damaged(site)
    delete(environment.folder / TEMPORARY, lambda size: progress.check())
    wheels = None
    if plan.wheels is not None:
        wheels = unpacked(plan.wheels, environment.folder / WHEELS, progress.part(0.0, 0.05))
    pip = Pip(environment, plan.python_version, wheels)
    chosen = find_build(plan.torch_build)
    torch_bytes = chosen.download_bytes
    rest = sum(one.download_bytes for one in plan.packages if one.module != "torch")
    border = 0.1 + 0.8 * torch_bytes / (torch_bytes + rest)  # of the time, about
    pip.install_torch(chosen, torch_bytes, progress.part(0.05, border))
    wanted = [one.requirement for one in plan.packages]
    pip.install(wanted, pinned_text(chosen.version), chosen, rest, progress.part(border, 1.0))


def _link(environment: IsolatedEnvironment) -> None:
    site = environment.site_packages
    if site is None:
        raise InputError(f"{environment.folder} has no folder for packages; remove it.")
    write_link(site)


def _finish(
    environment: IsolatedEnvironment, plan: BuildPlan, python: Path, foreign: set[str]
) -> None:
    for name in WHILE_BUILDING:
        delete(environment.folder / name)
    marker = Marker(
        True,
        tuple(sorted({path.name for path in environment.folder.iterdir()} - foreign)),
        plan.extras,
        plan.torch_build,
        str(python),
        _installed_versions(environment),
        "network" if plan.wheels is None else str(plan.wheels),
        datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    write_marker(environment.folder, marker)


def _greet(environment: IsolatedEnvironment, progress: Progress) -> Hello:
    """The worker there is asked who it is, and must be able to compute."""
    client = WorkerClient(environment.command(), start_timeout_s=_START_S)
    try:
        ticket = client.hello()
        end_s = time.monotonic() + _HELLO_S
        while not ticket.is_finished:
            progress.report(0.5)
            client.poll()
            time.sleep(0.03)
            if time.monotonic() > end_s:
                raise WorkerError(
                    f"The worker in {environment.folder} did not answer within {_HELLO_S:.0f} s; "
                    "start the computer anew and repair the environment.",
                    client.last_log,
                )
        hello = ticket.result(0.0)
    except WorkerError as error:
        raise WorkerError(
            f"The environment {environment.folder} was made, but its worker does not start: "
            f"{error}",
            error.log,
        ) from error
    finally:
        client.close()
    if hello.problem is not None:
        raise WorkerError(
            f"The environment {environment.folder} was made, but nothing can be computed there: "
            f"{hello.problem}"
        )
    return hello


def _installed_versions(environment: IsolatedEnvironment) -> dict[str, str]:
    """Of each package there; read from the disk, without its Python."""
    site = environment.site_packages
    found = importlib.metadata.distributions(path=[] if site is None else [str(site)])
    return {canonicalize_name(one.metadata["Name"]): one.version for one in found}


def _disk(environment: IsolatedEnvironment, error: OSError) -> OutputError:
    path = error.filename if isinstance(error.filename, str) else environment.folder
    if error.errno in _FULL:
        return OutputError(
            f"{path} could not be written: the disk is full. Free some space and start again: what "
            "has come so far is kept. DIFFUSIONSEG_ENVIRONMENT may name a folder on another disk."
        )
    return OutputError(
        f"{path} could not be written: {error.strerror or error}. Set DIFFUSIONSEG_ENVIRONMENT to "
        "a folder that you may write to."
    )
