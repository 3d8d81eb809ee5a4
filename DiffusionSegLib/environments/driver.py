"""The NVIDIA driver and its cards, without torch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.environments.children import ask

__all__ = ["NvidiaDriver", "numbers", "nvidia_driver"]

_PROC = Path("/proc/driver/nvidia")
_PATIENCE_S = 2.0
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


def nvidia_driver(proc: Path = _PROC) -> NvidiaDriver | None:
    """What nvidia-smi tells, else /proc/driver/nvidia; None without an NVIDIA card.

    Never raises; at most 5 seconds.
    """
    program = _nvidia_smi()
    if program is not None:
        for fields in (_FIELDS, _OLD_FIELDS):
            told = _said([program, f"--query-gpu={fields}", "--format=csv,noheader"])
            rows = [[part.strip() for part in line.split(",")] for line in told.splitlines()]
            rows = [row for row in rows if len(row) == fields.count(",") + 1
                    and re.fullmatch(r"[\d.]+", row[1])]  # fmt: skip
            if rows:
                found = re.search(r"CUDA Version:\s*([\d.]+)", _said([program]))
                return NvidiaDriver(
                    rows[0][1],
                    tuple(row[0] for row in rows),
                    found[1] if found else "",
                    tuple(row[2] for row in rows if len(row) > 2 and numbers(row[2])),
                )
    return _from_proc(proc)


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


def _said(command: Sequence[str]) -> str:
    try:
        return ask(command, _PATIENCE_S)[1]
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
