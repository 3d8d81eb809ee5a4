"""Short questions to other programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

__all__ = ["ask"]


def ask(
    command: Sequence[str], timeout_s: float, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; no window flashes up on Windows.

    Raises OSError, ValueError and subprocess.TimeoutExpired.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    done = subprocess.run(
        list(command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout_s,
        check=False,
        env=None if environment is None else dict(environment),
        creationflags=flags,
    )
    out, err = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    return done.returncode, out, err
