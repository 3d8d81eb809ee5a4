"""Runs that are killed: one process imports torch and forks for every run, which takes no time.

Nothing is trained in the process that forks, so that each run begins as in a process of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from DiffusionSegLib.progress import Progress

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 240
REPORT = "+"


class Runs:
    """Of a module that calls `serve`; one at a time."""

    def __init__(self, module: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, "-u", "-m", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # so that what `select` does not see has not come
        )

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        self._server.communicate()

    def whole(self, folder: Path, steps: int) -> float:
        """Seconds between two reports of a run that nothing disturbs."""
        begun, reports = time.monotonic(), 0
        self._start(folder, steps)
        while (line := self._line()) == REPORT:
            reports += 1
        assert int(line) == 0
        return (time.monotonic() - begun) / max(1, reports)

    def killed(self, folder: Path, steps: int, reports: int, after_s: float) -> bool:
        """Whether a run was still under way so long after so many reports; it is killed then."""
        process, line = self._start(folder, steps), REPORT
        while reports and line == REPORT:
            reports, line = reports - 1, self._line()
        time.sleep(after_s)
        with contextlib.suppress(ProcessLookupError):  # it may just have ended
            os.kill(process, signal.SIGKILL)
        while line == REPORT:
            line = self._line()
        assert int(line) in (0, -signal.SIGKILL)
        return int(line) != 0

    def _start(self, folder: Path, steps: int) -> int:
        """The number of its process."""
        assert self._server.stdin is not None
        self._server.stdin.write(f"{steps} {folder}\n".encode())
        return int(self._line())

    def _line(self) -> str:
        assert self._server.stdout is not None
        assert select.select([self._server.stdout], [], [], LIMIT_S)[0], "nothing was told"
        return self._server.stdout.readline().decode().strip()


def serve(main: Callable[[Path, int, Progress], None]) -> None:
    """Fork for every line "STEPS FOLDER"; answers the process number, its reports, its exit code.

    POSIX only.
    """
    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # imports much when first made
    told = Progress(lambda report: print(REPORT, flush=True))
    for line in sys.stdin:
        steps, folder = line.rstrip("\n").split(" ", 1)
        process = os.fork()
        if process == 0:
            print(os.getpid(), flush=True)
            main(Path(folder), int(steps), told)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
