"""Keeps what is needed to mend a mistake in the program; it stays on this computer."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from DiffusionSegLib import __version__


def write_crash_report(error: BaseException, arguments: Sequence[str]) -> Path | None:
    """A text file in the temporary folder; None when not even that can be written."""
    lines = [
        f"DiffusionSeg {__version__}, Python {sys.version}, {platform.platform()}\n",
        f"Arguments: {list(arguments)}\n\n",
        *traceback.format_exception(error),
    ]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="diffusionseg-crash-", suffix=".txt", delete=False, encoding="utf-8",
            errors="backslashreplace",
        ) as report:  # fmt: skip
            report.writelines(lines)
    except OSError:
        return None
    return Path(report.name)
