"""What the harness needs on this machine, in the words of a skipped test."""

from __future__ import annotations

import ctypes.util
import importlib

PACKAGES = {"slicer": "slicer-core", "PySide6": "PySide6-Essentials"}
LIBRARIES = {  # of the system, by the Debian package that has them
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "glib-2.0": "libglib2.0-0",
}


def missing() -> str:
    """Why the harness cannot start here and what to do; empty when it can."""
    for module, package in PACKAGES.items():
        if not importable(module):
            return f"{package} is not installed: pip install -e '.[test]'"
    if importable("PySide6.QtWidgets"):
        return ""
    wanted = [package for name, package in LIBRARIES.items() if not ctypes.util.find_library(name)]
    return f"Qt cannot load libraries of this system: apt install {' '.join(wanted)}"


def importable(module: str) -> bool:
    """True when Python can load it, its shared libraries included."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True
