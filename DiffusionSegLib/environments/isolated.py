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

__all__ = ["IsolatedEnvironment", "default_environment"]

_VARIABLE = "DIFFUSIONSEG_ENVIRONMENT"
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
        if not self.python.is_file() or not _suffices(marker):
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

    def size_bytes(self) -> int:
        """On the disk, with its tools; 0 when absent."""
        places = (self.folder, self.tools)
        return sum(disk_bytes(place) for place in places if (place / NAME).is_file())

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
