"""The command that starts a worker, and the environment it needs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import DiffusionSegLib
from DiffusionSegLib.errors import InputError

__all__ = ["default_command", "foreign_environment", "parse_command"]

_WORKER = ("-m", "DiffusionSegLib.cli.main", "worker")
_PYTHON = re.compile(r"(python[\d.]*|python-real|pythonslicer)(\.exe)?", re.IGNORECASE)
_LEADING_ASTRAY = re.compile(
    r"PYTHON(HOME|PATH|EXECUTABLE|NOUSERSITE|STARTUP)|(LD|DYLD)_\w*PATH|LD_PRELOAD|SLICER\w*|QT\w*"
    r"|Slicer_\w+|VIRTUAL_ENV|CONDA_\w+|TCL_LIBRARY|TK_LIBRARY"
)


def default_command() -> tuple[str, ...]:
    """The worker in this Python (in 3D Slicer: PythonSlicer)."""
    return (_this_python(), *_WORKER)


def parse_command(text: str, windows: bool | None = None) -> tuple[str, ...]:
    """The words of a command line, quotes respected; raises InputError when it has none.

    A Python alone ("/opt/env/bin/python") gets the arguments that start the worker. windows: read
    backslashes as parts of a path (None: when this is Windows).
    """
    if windows is None:
        windows = os.name == "nt"
    stripped = text.strip()
    # A file dialog gives a path with spaces as it is.
    words = [stripped] if Path(stripped).is_file() else _words(stripped, windows)
    if not words:
        raise InputError("The worker command is empty; enter one, for instance a path to a Python.")
    words[0] = os.path.expanduser(words[0])
    if len(words) == 1 and _PYTHON.fullmatch(re.split(r"[/\\]", words[0])[-1]):
        words += _WORKER
    return tuple(words)


def foreign_environment(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment for a command, from a given one (None: that of this process).

    Another Python gets nothing that would lead it to this one's files: PYTHONHOME, PYTHONPATH,
    library paths, SLICER..., QT..., and the folders of 3D Slicer on PATH. This Python gets the
    folder of this package on PYTHONPATH.
    """
    given = dict(os.environ if environment is None else environment)
    if command and _is_this_python(command[0]):
        package = str(Path(DiffusionSegLib.__file__).resolve().parent.parent)
        known = given.get("PYTHONPATH")
        given["PYTHONPATH"] = package if not known else package + os.pathsep + known
        # Nothing that happens to lie in the current folder is imported in its place.
        given["PYTHONSAFEPATH"] = "1"
        return given
    slicer = given.get("SLICER_HOME")
    kept = {name: value for name, value in given.items() if not _LEADING_ASTRAY.fullmatch(name)}
    if slicer and "PATH" in kept:
        folders = kept["PATH"].split(os.pathsep)
        kept["PATH"] = os.pathsep.join(part for part in folders if not _within(part, slicer))
    return kept


def _words(text: str, windows: bool) -> list[str]:
    try:
        if not windows:
            return shlex.split(text)
        return [_unquoted(word) for word in shlex.split(text, posix=False)]
    except ValueError as error:
        raise InputError(
            f"The worker command {text!r} cannot be read ({error}); close every quotation mark."
        ) from error


def _unquoted(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    return word


def _this_python() -> str:
    """3D Slicer's own program is not a Python; PythonSlicer beside it is."""
    if sys.executable and _PYTHON.fullmatch(Path(sys.executable).name):
        return sys.executable
    for folder in (Path(sys.executable).parent, Path(sys.prefix), Path(sys.prefix).parent):
        for name in ("PythonSlicer", "PythonSlicer.exe"):
            for place in (folder / name, folder / "bin" / name):
                if place.is_file():
                    return str(place)
    return shutil.which("PythonSlicer") or sys.executable


def _is_this_python(program: str) -> bool:
    # Not with links resolved: a virtual environment's Python is a link to the one it came from.
    one, other = (
        os.path.normcase(os.path.abspath(path)) for path in (program, _this_python() or program)
    )
    return one == other


def _within(path: str, folder: str) -> bool:
    one, other = (os.path.normcase(os.path.abspath(part)) for part in (path, folder))
    return one == other or one.startswith(other + os.sep)
