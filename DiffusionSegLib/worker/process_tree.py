"""Starts a command with pipes, and ends it with everything it started.

The Windows branches follow Microsoft's documentation and are not tested.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from DiffusionSegLib.worker.descendants import descendants

__all__ = ["ended_by", "kill_tree", "start", "wait_for_end"]

_TASKKILL_S = 10.0


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """With unbuffered pipes, in a session (on Windows: a group) of its own; raises OSError."""
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        # No console window flashes up, and Ctrl-C in the parent's console stays there.
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        options = {"creationflags": flags}
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=dict(environment),
        **options,
    )


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End it and its descendants (PythonSlicer is a launcher: the worker is its child), also those
    in a session of their own.

    Call it before the process has been waited for: afterwards its number may be someone else's.
    """
    if sys.platform == "win32":
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(process.pid)],
                capture_output=True,
                timeout=_TASKKILL_S,
                check=False,
                creationflags=subprocess.CREATE_NO_WINDOW,
            )
        with suppress(OSError):
            process.kill()
        return
    elsewhere = descendants(process.pid)  # before their parents end
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pid in elsewhere:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def wait_for_end(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Whether it ends in that time; its number stays its own, so that the tree can be killed."""
    end_s = time.monotonic() + timeout_s
    while not _has_ended(process):
        if time.monotonic() >= end_s:
            return False
        time.sleep(0.005)
    return True


def ended_by(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        number = -code
    elif code > 128 and sys.platform != "win32":  # a shell or launcher passes a signal on like this
        number = code - 128
    else:
        return f"exit code {code}"
    if number == 9:
        return "killed, often because the computer's memory ran out"
    with suppress(ValueError):
        return f"signal {number}, {signal.Signals(number).name}"
    return f"exit code {code}"


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    if process.returncode is not None:
        return True
    if sys.platform == "win32" or not hasattr(os, "waitid"):
        return process.poll() is not None
    try:
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, options) is not None
    except ChildProcessError:
        return True
