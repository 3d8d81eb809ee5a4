"""The NVIDIA driver and its cards, without torch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from DiffusionSegLib.environments.children import ask

__all__ = ["NvidiaDriver", "numbers", "nvidia_driver"]

_PROC = Path("/proc/driver/nvidia")
_PCI = Path("/sys/bus/pci/devices")
_NVIDIA, _DISPLAY = "0x10de", "0x03"  # the vendor, and the class of graphics cards
_PATIENCE_S = 4.8  # for all questions together; a sleeping card takes seconds to answer
_FIELDS = "name,driver_version,compute_cap"
_OLD_FIELDS = "name,driver_version"


@dataclass(frozen=True)
class NvidiaDriver:
    """version: "" when there is a card and no driver that answers; gpus: their names; cuda: the
    newest CUDA that the driver serves, "" when it does not tell; capabilities: of the cards
    ("8.6"), empty when they do not tell; problem: what nvidia-smi said instead of an answer."""

    version: str
    gpus: tuple[str, ...]
    cuda: str
    capabilities: tuple[str, ...] = ()
    problem: str = ""


def nvidia_driver(proc: Path = _PROC, pci: Path = _PCI) -> NvidiaDriver | None:
    """What nvidia-smi tells, else /proc/driver/nvidia, else Linux's list of cards; None without an
    NVIDIA card.

    Never raises; at most 5 seconds. proc, pci: where Linux tells of them.
    """
    program, said = _nvidia_smi(), ""
    end_s = time.monotonic() + _PATIENCE_S
    for fields in (_FIELDS, _OLD_FIELDS) if program else ():
        said = _said([str(program), f"--query-gpu={fields}", "--format=csv,noheader"], end_s)
        found = _from_table(said, fields)
        if found is not None:
            cuda = re.search(r"CUDA Version:\s*([\d.]+)", _said([str(program)], end_s))
            return replace(found, cuda=cuda[1] if cuda else "")
    return _from_proc(proc) or _without_driver(pci, " ".join(said.split())[:200])


def _from_table(said: str, fields: str) -> NvidiaDriver | None:
    rows = [[part.strip() for part in line.split(",")] for line in said.splitlines()]
    count = fields.count(",") + 1
    rows = [row for row in rows if len(row) == count and re.fullmatch(r"[\d.]+", row[1])]
    if not rows:
        return None
    capabilities = tuple(row[2] for row in rows if len(row) > 2 and numbers(row[2]))
    return NvidiaDriver(rows[0][1], tuple(row[0] for row in rows), "", capabilities)


def numbers(version: str) -> tuple[int, ...]:
    """ "550.54.14" is (550, 54, 14); what follows "+" or is no number says nothing."""
    return tuple(int(word) for word in re.findall(r"\d+", version.partition("+")[0]))


def _nvidia_smi() -> str | None:
    found = shutil.which("nvidia-smi")
    if found is None and sys.platform == "win32":
        root = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
        programs = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))
        for folder in (root, programs / "NVIDIA Corporation" / "NVSMI"):
            if (folder / "nvidia-smi.exe").is_file():
                return str(folder / "nvidia-smi.exe")
    return found


def _said(command: Sequence[str], end_s: float) -> str:
    try:
        return ask(command, max(0.1, end_s - time.monotonic()))[1]
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""


def _from_proc(proc: Path) -> NvidiaDriver | None:
    try:
        told = (proc / "version").read_text("utf-8", "replace")
        cards = [
            path.read_text("utf-8", "replace") for path in sorted(proc.glob("gpus/*/information"))
        ]
    except OSError:
        return None
    version = re.search(r"\b(\d{3}\.\d+(\.\d+)?)\b", told)
    names = [found[1].strip() for card in cards if (found := re.search(r"Model:(.*)", card))]
    if not names:
        return None
    return NvidiaDriver(version[1] if version else "", tuple(names), "")


def _without_driver(pci: Path, said: str) -> NvidiaDriver | None:
    """A card that no driver of NVIDIA's serves."""
    count = 0
    for device in pci.glob("*"):
        try:
            vendor, kind = ((device / name).read_text("ascii") for name in ("vendor", "class"))
        except (OSError, ValueError):
            continue
        count += vendor.strip() == _NVIDIA and kind.startswith(_DISPLAY)
    if not count:
        return None
    return NvidiaDriver("", ("an NVIDIA GPU",) * count, "", (), said)
