"""Packages into Slicer's own Python, when the user says so: on the main thread, as Slicer wants."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.environments.constraints import slicer_constraints
from DiffusionSegLib.environments.packages import Package, missing, packages
from DiffusionSegLib.errors import InputError

__all__ = [
    "hasPyTorchExtension", "installPackages", "installTorch", "isTorchInUse", "replaceTorch",
    "whyNotHere",
]  # fmt: skip

_REQUESTER = "DiffusionSeg"
_TORCH = "torch"
_CONSTRAINTS = "PIP_CONSTRAINT"  # the extension PyTorch has no argument for it, and pip reads it


def whyNotHere() -> str:
    """Why nothing can be installed into Slicer's Python, in one sentence; "" when it can."""
    if importlib.util.find_spec("slicer.packaging") is None:
        return _(
            "This Slicer has no slicer.packaging (it came with 5.12), so packages cannot be "
            "installed into its Python from here; choose an environment of its own."
        )
    return ""


def hasPyTorchExtension() -> bool:
    """Whether the extension PyTorch is there and loaded: it knows the build of torch that fits."""
    return importlib.util.find_spec("PyTorchUtils") is not None


def isTorchInUse() -> bool:
    """Whether this Slicer has imported torch: then its files cannot be replaced."""
    return _TORCH in sys.modules


def installPackages(extras: Collection[str]) -> None:
    """All but torch; Slicer asks before and shows progress. Raises InputError.

    What Slicer ships stays at its version. A package that is listed and whose files are gone is
    taken away first: pip would think that all is well.
    """
    from packaging.requirements import Requirement

    packaging = _packaging()
    wanted = [one for one in packages(extras) if one.module != _TORCH]
    gone = {one.module for one in missing(extras)}
    with _explained(), _constraintsFile() as constraints:
        for one in wanted:
            if one.module in gone and _isListed(one):
                packaging.pip_uninstall(Requirement(one.requirement).name)
        packaging.pip_ensure(
            [Requirement(one.requirement) for one in wanted],
            constraints=constraints,
            requester=_REQUESTER,
        )
    importlib.invalidate_caches()


def installTorch() -> None:
    """Through the extension PyTorch, which asks before. Raises InputError."""
    logic = _pyTorchLogic()
    requirement = next(one.requirement for one in packages() if one.module == _TORCH)
    with _explained(), _constraintsFile() as constraints, _variable(_CONSTRAINTS, constraints):
        found = logic.installTorch(
            askConfirmation=True, torchVersionRequirement=requirement.removeprefix(_TORCH)
        )
    importlib.invalidate_caches()
    if found is None:
        raise InputError(_("torch was not installed."))


def replaceTorch() -> None:
    """Take the torch that is there away, and install the one that fits. Raises InputError."""
    if isTorchInUse():
        raise InputError(
            _(
                "Another module of Slicer uses torch now, so it cannot be replaced; restart "
                "Slicer, open DiffusionSeg first and press Replace torch again."
            )
        )
    logic = _pyTorchLogic()
    with _explained():
        logic.uninstallTorch()
    importlib.invalidate_caches()
    installTorch()


def _packaging() -> Any:
    reason = whyNotHere()
    if reason:
        raise InputError(reason)
    return importlib.import_module("slicer.packaging")


def _pyTorchLogic() -> Any:
    if not hasPyTorchExtension():
        raise InputError(
            _(
                "The extension PyTorch, which installs torch, is not here; install it and restart "
                "Slicer."
            )
        )
    return importlib.import_module("PyTorchUtils").PyTorchUtilsLogic()


def _isListed(package: Package) -> bool:
    from packaging.requirements import Requirement

    try:
        importlib.metadata.version(Requirement(package.requirement).name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@contextmanager
def _explained() -> Iterator[None]:
    """What Slicer and pip raise, as a sentence."""
    try:
        yield
    except (RuntimeError, ImportError, ValueError, OSError, subprocess.SubprocessError) as error:
        raise InputError(
            _("Not everything was installed ({reason}); see the Python console.").format(
                reason=" ".join(str(error).split())[:300]
            )
        ) from error


@contextmanager
def _constraintsFile() -> Iterator[str]:
    """A file that pins what Slicer ships, for as long as pip runs."""
    with tempfile.TemporaryDirectory(prefix="DiffusionSeg") as folder:
        path = Path(folder) / "constraints.txt"
        path.write_text(slicer_constraints(), "utf-8")
        yield str(path)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
