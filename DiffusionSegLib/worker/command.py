"""The command that starts a worker, and the environment it needs."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["default_command", "foreign_environment", "parse_command"]


def default_command() -> tuple[str, ...]:
    """The worker in this Python: `PYTHON -m DiffusionSegLib.cli.main worker`."""


def parse_command(text: str) -> tuple[str, ...]:
    """The words of a command line, quotes respected; raises InputError when it has none."""


def foreign_environment(
    command: tuple[str, ...], environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment for a command: that of this process (None), for another Python without what
    would lead it to this one's files (PYTHONHOME, PYTHONPATH, LD_LIBRARY_PATH, SLICER..., QT...);
    for this Python with the package's folder on PYTHONPATH."""
