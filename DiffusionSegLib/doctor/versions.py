"""Which program this is, and on what kind of computer."""

from __future__ import annotations

import os
import platform
import struct
import sys

from DiffusionSegLib import __version__
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Section
from DiffusionSegLib.progress import Progress

__all__ = ["TITLE", "section"]

TITLE = "Versions"


def section(examined: Examined, progress: Progress) -> Section:
    """Nothing that could be missing is imported for it."""
    facts = {
        "DiffusionSeg": __version__,
        "Python": f"{platform.python_version()}, {8 * struct.calcsize('P')} bits, in {sys.prefix}",
        "System": platform.platform(),
        "Machine": f"{platform.machine()}, {os.cpu_count()} processor cores",
    }
    return Section(TITLE, tuple(f"{name}: {value}" for name, value in facts.items()), (), facts)
