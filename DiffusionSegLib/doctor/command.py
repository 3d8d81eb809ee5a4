"""The command that examines the Python where a worker runs, from the one that starts the worker."""

from __future__ import annotations

import re
from collections.abc import Sequence

from DiffusionSegLib.errors import InputError

__all__ = ["doctor_command"]

# Also the last words of a text that another program reads: bash -lc "... diffusionseg worker".
_LAST = re.compile(r"(?:^|(?<=\s))worker\s*$")


def doctor_command(worker: Sequence[str]) -> tuple[str, ...]:
    """The same words with "doctor" for the last one, which must be "worker".

    Raises InputError for another command: what it starts cannot be guessed.
    """
    words = tuple(worker)
    if not words or not _LAST.search(words[-1]):
        raise InputError(
            f"The worker command {' '.join(words)!r} does not end with the word worker, so there "
            "is no telling how to check what it starts; run 'diffusionseg doctor' there by hand."
        )
    return (*words[:-1], _LAST.sub("doctor", words[-1]))
