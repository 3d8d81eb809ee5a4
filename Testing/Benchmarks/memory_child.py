"""The process that memory.py measures: MODEL CHANNEL DEVICE SEED THREADS SAMPLES TINY LARGE OUT."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.session import Session


def main() -> None:
    """Print the peaks above the loaded model in bytes as JSON."""
    model, channel, device, seed, threads, samples, tiny, large, out = sys.argv[1:]
    if int(threads):
        import torch

        torch.set_num_threads(int(threads))
    session = Session("cdal", model, device, int(seed), samples=int(samples))
    session.set_image(_read(tiny, channel))
    session.propose().mask().write(out)
    peaks = Peaks()
    image = _read(large, channel)
    peaks.note("read")
    session.set_image(image)
    peaks.note("prepare")
    proposal = session.propose()
    peaks.note("draw")
    # A made-up volume may hold nothing, and an outline of nothing takes no memory.
    proposal.verdict = replace(proposal.verdict, state=Verdict.FOUND)
    mask = proposal.mask()
    peaks.note("outline")
    mask.write(out)
    peaks.note("write")
    print(json.dumps(peaks.found | {"whole": max(peaks.found.values())}))


class Peaks:
    """The resident memory's peak of each stage above what was there at the start; left: what is
    there at the end of it."""

    def __init__(self) -> None:
        self.found: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self._base = _status("VmRSS")
        _reset_peak()

    def note(self, stage: str) -> None:
        """End a stage."""
        self.found[stage] = _status("VmHWM") - self._base
        self.left[stage] = _status("VmRSS") - self._base
        _reset_peak()


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _read(path: str, channel: str) -> Image:
    image = Image.read(path)
    return replace(image, channel_names=(channel,))


if __name__ == "__main__":
    main()
