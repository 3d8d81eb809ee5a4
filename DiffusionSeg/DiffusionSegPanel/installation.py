"""Packages that the worker needs and this Slicer lacks; installed when the user says so."""

from __future__ import annotations

import importlib
import importlib.util

from slicer.i18n import tr as _

from DiffusionSegLib.errors import InputError

__all__ = ["NEEDED", "canInstall", "install", "missingPackages"]

# Module to requirement: what Slicer does not bring along. The numbers are those of pyproject.toml.
NEEDED = {
    "torch": "torch>=2.4,<3",
    "safetensors": "safetensors>=0.4.3",
    "scipy": "scipy>=1.11",
    "platformdirs": "platformdirs>=4.2",
    "rich": "rich>=13.7",
}
_REQUESTER = "DiffusionSeg"


def missingPackages() -> list[str]:
    """Names of modules of NEEDED that are not installed here; nothing is imported."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def canInstall(commandText: str) -> bool:
    """Whether `install` would help: the worker runs in this Python, which lacks something.

    Needs slicer.packaging (Slicer 5.12).
    """
    if commandText.strip() or importlib.util.find_spec("slicer.packaging") is None:
        return False
    return bool(missingPackages())


def install() -> None:
    """Install what is missing; Slicer asks before and shows progress.

    torch goes through the extension PyTorch, which knows the fitting build. Raises InputError when
    that extension is needed and not there.
    """
    from packaging.requirements import Requirement
    from slicer.packaging import pip_ensure

    missing = missingPackages()
    if "torch" in missing:
        _installTorch()
    others = [Requirement(NEEDED[name]) for name in missing if name != "torch"]
    if others:
        pip_ensure(others, requester=_REQUESTER)


def _installTorch() -> None:
    if importlib.util.find_spec("PyTorchUtils") is None:
        raise InputError(
            _(
                "The extension PyTorch is not installed; install it with the Extensions Manager, "
                "restart Slicer and try again."
            )
        )
    logic = importlib.import_module("PyTorchUtils").PyTorchUtilsLogic()
    version = NEEDED["torch"].removeprefix("torch")
    logic.installTorch(askConfirmation=True, torchVersionRequirement=version)
