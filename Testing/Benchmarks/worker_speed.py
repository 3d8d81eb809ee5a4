"""How much the worker adds to a bare pipe: a large image handed over, and an idle question.

    .venv/bin/python -m Testing.Benchmarks.worker_speed

A volume of 512 x 512 x 300 voxels int16 goes to a warm worker process and, in turn, the same bytes
through a bare pipe of the same width to a process that only reads them, always into the same
memory (which spares it what new memory costs). Least of several rounds.
The targets are twice the bare pipe and 5 ms for a question to an idle worker; the exit code is 1
when one is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.command import default_command
from DiffusionSegLib.worker.pipes import widen

SHAPE = (300, 512, 512)
MOST_RATIO, MOST_QUESTION_MS = 2.0, 5.0
READER = """
import io, sys
import numpy as np
from DiffusionSegLib.worker.pipes import widen
incoming = io.FileIO(0, "rb")
widen(incoming)
buffer = memoryview(np.ones(int(sys.argv[1]), np.uint8))
while True:
    found = 0
    while found < len(buffer):
        count = incoming.readinto(buffer[found:])
        if not count:
            sys.exit()
        found += count
    sys.stdout.write(".")
    sys.stdout.flush()
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, compare with the targets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE, metavar=("K", "J", "I"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    args = parser.parse_args(arguments)
    found = measure(tuple(args.shape), args.rounds)
    print("\n".join(lines(found)))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n")
    good = found["ratio"] <= MOST_RATIO and found["question_ms"] <= MOST_QUESTION_MS
    return 0 if good else 1


def measure(shape: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Seconds of both ways in turn, so that other programs disturb both alike."""
    array = np.random.default_rng(0).integers(-1000, 2000, shape, np.int16)
    bare, client = BarePipe(array.nbytes), WorkerClient(default_command())
    try:
        client.describe().result(60)
        bare.seconds(array)
        pipe, worker = [], []
        for round_ in range(rounds):
            pipe.append(bare.seconds(array))
            worker.append(_handed_over(client, Image.from_array(array), f"round {round_}"))
        questions = [_asked(client) for _ in range(200)]
    finally:
        client.close()
        bare.close()
    return {
        "megabytes": array.nbytes / 1e6,
        "rounds": rounds,
        "bare_pipe_s": min(pipe),
        "worker_s": min(worker),
        "ratio": min(worker) / min(pipe),
        "ratio_of_medians": statistics.median(worker) / statistics.median(pipe),
        "question_ms": statistics.median(questions) * 1e3,
        "slowest_question_ms": max(questions) * 1e3,
    }


class BarePipe:
    """A process that reads blocks of a size and answers each with one byte."""

    def __init__(self, size: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER, str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        widen(self._process.stdin)  # type: ignore[arg-type]

    def seconds(self, array: NDArray[Any]) -> float:
        """From the first byte written to the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        begun_s = time.monotonic()
        view = array.reshape(-1).view(np.uint8).data
        written = 0
        while written < len(view):
            written += self._process.stdin.write(view[written:])
        if self._process.stdout.read(1) != b".":
            raise RuntimeError("the reader of the bare pipe has ended")
        return time.monotonic() - begun_s

    def close(self) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()


def lines(found: dict[str, Any]) -> list[str]:
    """What a reader wants to know."""
    return [
        f"{found['megabytes']:.0f} MB, least of {found['rounds']} rounds:",
        f"  bare pipe  {found['bare_pipe_s'] * 1e3:7.1f} ms",
        f"  worker     {found['worker_s'] * 1e3:7.1f} ms  ({found['ratio']:.2f} times; "
        f"medians {found['ratio_of_medians']:.2f} times; at most {MOST_RATIO:g} wanted)",
        f"  question   {found['question_ms']:7.2f} ms  (median of 200, slowest "
        f"{found['slowest_question_ms']:.2f} ms; at most {MOST_QUESTION_MS:g} wanted)",
    ]


def _handed_over(client: WorkerClient, image: Image, key: str) -> float:
    begun_s = time.monotonic()
    client.set_image(key, image).result(60)
    return time.monotonic() - begun_s


def _asked(client: WorkerClient) -> float:
    begun_s = time.monotonic()
    client.memory().result(10)
    return time.monotonic() - begun_s


if __name__ == "__main__":
    sys.exit(main())
