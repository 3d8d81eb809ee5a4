"""Exact versions: those that this program was tested with, and those that 3D Slicer ships."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import DiffusionSegLib

__all__ = ["constraints_file", "slicer_constraints"]

_SHIPPED = (
    "numpy", "scipy", "SimpleITK", "pydicom", "requests", "vtk", "setuptools", "packaging", "pip",
    "wheel", "certifi", "chardet", "charset-normalizer", "idna", "urllib3", "six", "PyJWT",
    "dicomweb-client", "pyparsing", "python-dateutil", "pillow", "attrs",
)  # fmt: skip


def constraints_file() -> Path | None:
    """constraints.txt beside a checkout, else in the installed package; None when it is lost."""
    package = Path(DiffusionSegLib.__file__).resolve().parent
    for path in (package / "Resources" / "constraints.txt", package.parent / "constraints.txt"):
        if path.is_file():
            return path
    return None


def slicer_constraints() -> str:
    """A constraints text for pip that holds what this Python ships at its version."""
    lines = []
    for name in _SHIPPED:
        try:
            lines.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return "".join(f"{line}\n" for line in lines)
