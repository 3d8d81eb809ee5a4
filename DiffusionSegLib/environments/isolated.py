"""A virtual environment for the worker, in the user's data folder; it cannot break 3D Slicer."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from DiffusionSegLib.backbones.places import user_data_folder
from DiffusionSegLib.environments.deleting import disk_bytes
from DiffusionSegLib.environments.marker import NAME, Marker, read_marker
from DiffusionSegLib.environments.package_link import linked_package, package_folder, write_link
from DiffusionSegLib.environments.packages import EXTRAS, packages
from DiffusionSegLib.errors import DiffusionSegError

__all__ = [
    "CACHE", "TEMPORARY", "WHEELS", "WHILE_BUILDING", "IsolatedEnvironment", "default_environment",
]  # fmt: skip

CACHE, TEMPORARY, WHEELS = WHILE_BUILDING = ("cache", "tmp", "wheels")
_VARIABLE = "DIFFUSIONSEG_ENVIRONMENT"
# What venv and pip make, and a build while it runs; the marker tells what else came.
_MADE = frozenset(
    {"bin", "lib", "lib64", "include", "share", "etc", "man", "Scripts", "Lib", "Include",
     "pyvenv.cfg", ".gitignore", "constraints.txt", *WHILE_BUILDING}
)  # fmt: skip
_TOOLS = ("uv", "python", "cache")
_WORKER = ("-m", "DiffusionSegLib.cli.main", "worker")


class IsolatedEnvironment:
    """The environment that is, or will be, in ``folder``; see building.py."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).absolute()

    @property
    def state(self) -> str:
        """ "absent"; "incomplete": a build was stopped; "outdated": other versions are needed now,
        or the Python that it was made from has gone; "ready".

        When only this package has moved since (an extension's folder changes with every version of
        Slicer), the environment is told so at once.
        """
        marker = self.marker
        if marker is None:
            return "absent"
        if not marker.ready:
            return "incomplete"
        # On Windows the environment's own program stays when the Python behind it goes.
        there = self.python.is_file() and Path(marker.interpreter).is_file()
        if not there or not _suffices(marker):
            return "outdated"
        return "ready" if self._finds_package() else "outdated"

    @property
    def marker(self) -> Marker | None:
        """What its build wrote down; None when there is no environment of this program."""
        return read_marker(self.folder)

    @property
    def python(self) -> Path:
        """Its Python, whether it exists or not."""
        if sys.platform == "win32":
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    @property
    def tools(self) -> Path:
        """The folder beside it for what builds it, where the computer has no fitting Python."""
        return self.folder.with_name(f"{self.folder.name}-tools")

    @property
    def site_packages(self) -> Path | None:
        """Where its packages lie; None before it was made."""
        pattern = "Lib/site-packages" if sys.platform == "win32" else "lib/python3.*/site-packages"
        return next(iter(sorted(self.folder.glob(pattern))), None)

    def own_paths(self) -> tuple[Path, ...]:
        """What its build made, there or not: the markers last, so that a removal which was stopped
        can go on. Whatever else lies in the folders is somebody else's."""
        marker = read_marker(self.folder)
        found: list[Path] = []
        if marker is not None:
            names = sorted({*_MADE, *marker.made} - {NAME})
            found += [self.folder / name for name in names if Path(name).name == name]
            found.append(self.folder / NAME)
        if (self.tools / NAME).is_file():
            found += [self.tools / name for name in (*_TOOLS, NAME)]
        return tuple(found)

    def size_bytes(self) -> int:
        """Of what its build made, on the disk; 0 when absent."""
        return sum(disk_bytes(path) for path in self.own_paths())

    def command(self) -> tuple[str, ...]:
        """Starts the worker there; nothing of the current folder or of PYTHON... variables."""
        return (str(self.python), "-I", *_WORKER)

    def _finds_package(self) -> bool:
        site = self.site_packages
        if site is None:
            return False
        if linked_package(site) != package_folder():
            with suppress(DiffusionSegError):
                write_link(site)
        return linked_package(site) == package_folder()


def default_environment() -> IsolatedEnvironment:
    """In the folder that DIFFUSIONSEG_ENVIRONMENT names, else in the user's data folder."""
    chosen = os.environ.get(_VARIABLE)
    if chosen:
        return IsolatedEnvironment(Path(os.path.expanduser(chosen)))
    return IsolatedEnvironment(user_data_folder() / "environment")


def _suffices(marker: Marker) -> bool:
    """Whether the versions that it was made with are in today's ranges."""
    if not set(marker.extras) <= set(EXTRAS):
        return False
    for package in packages(marker.extras):
        requirement = Requirement(package.requirement)
        version = marker.packages.get(canonicalize_name(requirement.name), "")
        try:
            if not requirement.specifier.contains(Version(version), prereleases=True):
                return False
        except InvalidVersion:
            return False
    return True
