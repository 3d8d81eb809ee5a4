"""What is wrong with a Python that should compute, and what mends it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Collection

from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.finding import Finding, Place, Remedy
from DiffusionSegLib.environments.gpu_findings import gpu_findings
from DiffusionSegLib.environments.package_findings import package_findings
from DiffusionSegLib.environments.probing import Probe
from DiffusionSegLib.environments.torch_findings import torch_findings

__all__ = ["Finding", "Remedy", "findings"]


def findings(
    probe: Probe,
    driver: NvidiaDriver | None,
    extras: Collection[str] = (),
    *,
    in_slicer: bool | None = None,
    pytorch_extension: bool | None = None,
) -> tuple[Finding, ...]:
    """All that is wrong, what blocks first; empty when everything is well.

    in_slicer: the probed Python is that of the running 3D Slicer (None: looked at);
    pytorch_extension: Slicer has the extension PyTorch (None: looked for). Codes: "torch-missing",
    "torch-half-installed", "torch-library-missing", "torch-too-old", "torch-cpu-only",
    "driver-missing", "driver-too-old", "gpu-too-new", "gpu-too-old", "gpu-fails", "numpy-clash",
    "numpy-broken", "package-missing", "package-too-old", "package-too-new", "package-broken",
    "python-too-old", "path-too-long".
    """
    if in_slicer is None:
        in_slicer = "slicer" in sys.modules and not probe.isolated and probe.prefix == sys.prefix
    if pytorch_extension is None:
        pytorch_extension = importlib.util.find_spec("PyTorchUtils") is not None
    place = _place(probe, in_slicer, pytorch_extension)
    found = [
        *torch_findings(probe, place),
        *package_findings(probe, extras, place),
        *gpu_findings(probe, driver, place),
    ]
    return tuple(sorted(found, key=lambda one: not one.blocks))


def _place(probe: Probe, in_slicer: bool, pytorch_extension: bool) -> Place:
    if probe.isolated:
        repair = Remedy.REPAIR_ENVIRONMENT
        return Place(probe.python, repair, repair, repair, "repair the environment")
    if in_slicer and not pytorch_extension:
        extension = Remedy.INSTALL_PYTORCH_EXTENSION
        words = "install the extension PyTorch, restart Slicer, and install torch with it"
        return Place(probe.python, Remedy.INSTALL_PACKAGES, extension, extension, words)
    words = "install torch with the extension PyTorch" if in_slicer else "install torch"
    return Place(
        probe.python, Remedy.INSTALL_PACKAGES, Remedy.INSTALL_TORCH, Remedy.REPLACE_TORCH, words
    )
