"""Run by another Python: does what its arguments say, and ends with the process that started it.

"-m MODULE ARGUMENTS" runs a module in this process, anything else is a program. The standard input
is held open by whoever started this; when it ends, for instance because that process was killed,
nothing goes on writing into an environment that somebody else may be mending by then.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading


def leave_with_parent() -> None:
    """Wait for the end of the standard input; then end everything."""
    try:
        # Not by way of sys.stdin, whose lock would be held when this process ends.
        while os.read(0, 1024):
            pass
    finally:
        if os.name == "posix":
            # A session of its own, as process_tree.start makes: its descendants end as well.
            os.killpg(0, signal.SIGKILL)
        else:
            os.system("taskkill /F /T /PID %d >nul 2>&1" % os.getpid())  # noqa: UP031
        os._exit(1)


def main() -> None:
    """Do it; the exit code is that of what was done."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [part for part in sys.path if os.path.abspath(part or ".") != here]
    threading.Thread(target=leave_with_parent, daemon=True).start()
    words = sys.argv[1:]
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.exit(subprocess.call(words, stdin=subprocess.DEVNULL))


if __name__ == "__main__":
    main()
