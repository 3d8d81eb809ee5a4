"""A Python for computers that have none that fits: uv, from PyPI, fetches one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from DiffusionSegLib.environments.interpreters import Interpreter, best_interpreter
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.environments.marker import Marker, write_marker
from DiffusionSegLib.environments.pip_words import PipWords, failure
from DiffusionSegLib.environments.watched import clean_environment, run_watched
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.command import default_command, foreign_environment

__all__ = ["fetch_python"]

_PREFIX = re.compile(r"^\W*(error|caused by|cause):\s*", re.IGNORECASE)
_UV_BYTES = 20_000_000


def fetch_python(
    environment: IsolatedEnvironment, version: tuple[int, int], progress: Progress
) -> Interpreter:
    """In the folder of tools; what is there already is used. Raises InputError with what failed,
    OutputError, Cancelled."""
    tools = environment.tools
    tools.mkdir(parents=True, exist_ok=True)
    write_marker(tools, Marker())
    found = _found(tools, version)
    if found is not None:
        return found
    if _uv(tools / "uv") is None:
        _install_uv(tools / "uv", progress.part(0.0, 0.3))
    uv = _uv(tools / "uv")
    if uv is None:
        raise InputError(f"uv was installed into {tools}, and is not there; remove that folder.")
    return _fetch(uv, tools, version, progress.part(0.3, 1.0))


def _uv(room: Path) -> Path | None:
    name = "uv.exe" if sys.platform == "win32" else "uv"
    places = (room / folder / name for folder in ("bin", "Scripts"))
    return next((place for place in places if place.is_file()), None)


def _install_uv(room: Path, progress: Progress) -> None:
    """By this Python's pip, but not into this Python."""
    python = default_command()[0]
    told = PipWords(_UV_BYTES)
    ended = run_watched(
        (python,),
        ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--target", str(room),
         "--progress-bar", "off", "--only-binary", ":all:", "--no-deps", "--upgrade", "uv"),
        foreign_environment((python,)),
        told.hear,
        lambda: progress.report(told.fraction(0, 0), f"Fetching uv: {told.stage}"),
    )  # fmt: skip
    if ended.code:
        raise failure(ended.lines, "uv, which fetches a Python,", str(room), False)


def _fetch(uv: Path, tools: Path, version: tuple[int, int], progress: Progress) -> Interpreter:
    name = ".".join(map(str, version))
    variables = {
        **clean_environment(),
        "UV_PYTHON_INSTALL_DIR": os.fspath(tools / "python"),
        "UV_CACHE_DIR": os.fspath(tools / "cache"),
        "UV_PYTHON_INSTALL_BIN": "0",
        "UV_PYTHON_INSTALL_REGISTRY": "0",
        "UV_NO_PROGRESS": "1",
    }
    ended = run_watched(
        (default_command()[0],),
        (str(uv), "python", "install", name),
        variables,
        lambda line: None,
        lambda: progress.report(0.1, f"Fetching Python {name} from github.com"),
    )
    found = _found(tools, version)
    if found is None:
        raise InputError(
            f"This computer has no Python that can carry the environment, and fetching one from "
            f"github.com failed ({_reason(ended.lines)}). Install Python {name} from "
            "https://www.python.org/downloads/ and try again; or check the network and "
            "HTTPS_PROXY, or name a mirror in UV_PYTHON_INSTALL_MIRROR."
        )
    progress.report(1.0)
    return found


def _found(tools: Path, version: tuple[int, int]) -> Interpreter | None:
    name = f"cpython-{version[0]}.{version[1]}*"
    inner = "python.exe" if sys.platform == "win32" else "bin/python3"
    return best_interpreter(sorted((tools / "python").glob(f"{name}/{inner}")), [version])[0]


def _reason(lines: Sequence[str]) -> str:
    """uv tells its causes one below the other; the last is the plainest."""
    told = [line.strip() for line in lines if line.strip()]
    if not told:
        return "it said nothing"
    return _PREFIX.sub("", told[-1]).rstrip(".")[:300]
