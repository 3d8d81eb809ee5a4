"""Exact versions: those that this program was tested with, and those that 3D Slicer ships."""

from __future__ import annotations

import importlib.metadata
import re

from DiffusionSegLib.backbones.places import constraints_file

__all__ = ["constraints_file", "pinned_text", "slicer_constraints"]

_SHIPPED = (
    "numpy", "scipy", "SimpleITK", "pydicom", "requests", "vtk", "setuptools", "packaging", "pip",
    "wheel", "certifi", "chardet", "charset-normalizer", "idna", "urllib3", "six", "PyJWT",
    "dicomweb-client", "pyparsing", "python-dateutil", "pillow", "attrs",
)  # fmt: skip


def pinned_text(torch_version: str) -> str:
    """Those of constraints.txt, with that torch; without it where the file was lost."""
    path = constraints_file()
    lines = [] if path is None else path.read_text("utf-8").splitlines()
    kept = [line for line in lines if not re.match(r"torch\s*==", line)]
    return "".join(f"{line}\n" for line in [*kept, f"torch=={torch_version}"])


def slicer_constraints() -> str:
    """A constraints text for pip that holds what this Python ships at its version."""
    lines = []
    for name in _SHIPPED:
        try:
            lines.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return "".join(f"{line}\n" for line in lines)
