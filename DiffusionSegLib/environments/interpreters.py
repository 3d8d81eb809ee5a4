"""Which Pythons of this computer can carry the environment, and why others cannot."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from DiffusionSegLib.environments.children import ask
from DiffusionSegLib.environments.watched import clean_environment
from DiffusionSegLib.worker.command import default_command

__all__ = [
    "NEWEST", "OLDEST", "VERSIONS", "Interpreter", "best_interpreter", "candidates",
    "try_interpreter",
]  # fmt: skip

# torch 2.13 has wheels from one to the other (https://pypi.org/project/torch).
OLDEST, NEWEST = (3, 10), (3, 14)
# All packages have wheels for the middle ones; the newest may lack some, the oldest is out first.
VERSIONS = ((3, 12), (3, 11), (3, 13), (3, 10), (3, 14))
_PATIENCE_S = 20.0
_TRIAL = Path(__file__).with_name("interpreter_script.py")
_LOOK = (
    "import json,platform,struct,sys,sysconfig;print();print(json.dumps(["
    "list(sys.version_info[:3]),struct.calcsize('P')*8,"
    "getattr(sys,'_base_executable','') or sys.executable,platform.machine(),"
    "platform.python_implementation(),bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)


@dataclass(frozen=True)
class Interpreter:
    """path: its program, behind links and virtual environments; version: "3.12.4", "" when it does
    not tell; reason: why it cannot carry the environment, "" when it can, as far as was tried."""

    path: Path
    version: str
    reason: str = ""

    @property
    def minor(self) -> tuple[int, int]:
        """(3, 12)."""
        parts = [int(part) for part in self.version.split(".")[:2]] or [0]
        return (parts[0], parts[-1])


def best_interpreter(
    paths: Iterable[Path] | None = None,
    versions: Sequence[tuple[int, int]] = VERSIONS,
    check: Callable[[], None] = lambda: None,
) -> tuple[Interpreter | None, tuple[Interpreter, ...]]:
    """The best that works, and those that do not, each with its reason.

    paths: of Pythons (None: those of this computer); a Python that lies further ahead is taken
    when two are of the same version. versions: that will do, the best first. check: is called in
    between, and may raise.
    """
    looked: dict[Path, Interpreter] = {}
    for path in candidates() if paths is None else paths:
        check()
        found = _look_at(path, versions)
        looked.setdefault(_resolved(found.path), found)
    fitting = [one for one in looked.values() if not one.reason]
    rejected = [one for one in looked.values() if one.reason]
    for one in sorted(fitting, key=lambda one: versions.index(one.minor)):
        check()
        tried = try_interpreter(one)
        if not tried.reason:
            return tried, tuple(rejected)
        rejected.append(tried)
    return None, tuple(rejected)


def try_interpreter(interpreter: Interpreter) -> Interpreter:
    """With the reason when no virtual environment can be made from it."""
    with tempfile.TemporaryDirectory(prefix="diffusionseg-", ignore_cleanup_errors=True) as room:
        told, problem = _told([str(interpreter.path), "-I", str(_TRIAL), room], 2 * _PATIENCE_S)
    if isinstance(told, dict):
        problem = str(told.get("problem", ""))
    return replace(interpreter, reason=problem)


def _look_at(path: Path, versions: Sequence[tuple[int, int]]) -> Interpreter:
    if "WindowsApps" in path.parts:
        return Interpreter(
            path, "", "it is from the Microsoft Store, which hides from other programs what it "
            "writes into the user's data folder"
        )  # fmt: skip
    told, problem = _told([str(path), "-I", "-c", _LOOK], _PATIENCE_S)
    if not isinstance(told, list) or len(told) != 6:
        return Interpreter(path, "", problem or "it does not answer as a Python does")
    version, bits, base, machine, kind, free_threaded = told
    found = Interpreter(Path(base or path), ".".join(map(str, version)))
    return replace(found, reason=_against(found, versions, bits, machine, kind, free_threaded))


def _told(command: Sequence[str], patience_s: float) -> tuple[Any, str]:
    """The JSON in the last line that it writes, or why there is none."""
    try:
        _, out, err = ask(command, patience_s, clean_environment())
    except subprocess.TimeoutExpired:
        return None, f"it did not answer within {patience_s:.0f} s"
    except (OSError, ValueError) as error:
        return None, f"it does not start ({error})"
    try:
        return json.loads("".join(out.strip().splitlines()[-1:])), ""
    except ValueError:
        last = "".join((err.strip() or out.strip()).splitlines()[-1:])[:200]
        return None, f"it does not work{f' ({last})' if last else ''}"


def _against(
    found: Interpreter,
    versions: Sequence[tuple[int, int]],
    bits: int,
    machine: str,
    kind: str,
    free_threaded: bool,
) -> str:
    if found.minor not in versions:
        wanted = ", ".join(".".join(map(str, one)) for one in sorted(versions))
        return f"it is version {found.version}, and one of {wanted} is needed"
    if bits != 64:
        return "it is a 32 bit program"
    if kind != "CPython" or free_threaded:
        return (
            f"it is {'a free-threaded build' if free_threaded else kind}, for which packages lack"
        )
    if sys.platform == "darwin" and machine != "arm64":
        return "it is for Intel processors, for which torch has no builds since 2.3"
    return ""


def _resolved(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except OSError:
        return path


def candidates() -> list[Path]:
    """Programs that may be Pythons: on PATH, of pyenv, conda and uv, of the Windows launcher, in
    the usual places of a Mac, and last the one that runs here (in 3D Slicer: its own)."""
    found: dict[str, Path] = {}
    for path in (*_on_path(), *_in_usual_places(), *_of_launcher(), Path(default_command()[0])):
        if path.is_file():
            found.setdefault(os.path.normcase(os.path.abspath(path)), path)
    return list(found.values())


def _on_path() -> Iterator[Path]:
    folders = clean_environment().get("PATH", "")
    for name in (*(f"python{one}.{two}" for one, two in VERSIONS), "python3", "python"):
        where = shutil.which(name, path=folders)
        # On a Mac this one may only open a window that offers to install developer tools.
        stub = sys.platform == "darwin" and (where or "").startswith("/usr/bin/")
        if where and not stub and Path(where).parent.name != "shims":
            yield Path(where)


def _in_usual_places() -> Iterator[Path]:
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    windows = sys.platform == "win32"
    program = "python.exe" if windows else "bin/python3"
    patterns = [(pyenv, f"versions/3.*/{program}"), (pyenv, f"pyenv-win/versions/3.*/{program}")]
    patterns += [(home, f".asdf/installs/python/3.*/{program}")]
    patterns += [(home, f"{name}/{program}") for name in
                 ("miniforge3", "miniconda3", "mambaforge", "anaconda3")]  # fmt: skip
    if windows:
        local = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        patterns += [(local / "Programs" / "Python", "Python3*/python.exe")]
        patterns += [(Path(os.environ.get("PROGRAMFILES") or "C:/Program Files"),
                      "Python3*/python.exe")]  # fmt: skip
    else:
        patterns += [(home, f".local/share/uv/python/cpython-3.*/{program}")]
    if sys.platform == "darwin":
        frameworks = Path("/Library/Frameworks/Python.framework")
        patterns += [(frameworks, "Versions/3.*/bin/python3")]
        patterns += [(Path(place), "python3.*") for place in
                     ("/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin")]  # fmt: skip
    for folder, pattern in patterns:
        yield from sorted(folder.glob(pattern), reverse=True)


def _of_launcher() -> Iterator[Path]:
    """What "py -0p" of Windows lists."""
    launcher = shutil.which("py") if sys.platform == "win32" else None
    if launcher is None:
        return
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        for line in ask([launcher, "-0p"], _PATIENCE_S)[1].splitlines():
            found = re.search(r"([A-Za-z]:\\.*\.exe)", line)
            if found:
                yield Path(found[1])
