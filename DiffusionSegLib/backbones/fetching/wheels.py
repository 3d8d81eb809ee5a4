"""The packages that run this program, as wheels, for a computer without a network."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import DiffusionSegLib
from DiffusionSegLib.backbones.places import constraints_file
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["bring_wheels", "constraints_text"]

_CPU = "https://download.pytorch.org/whl/cpu"
_LOOK_S = 0.2


def constraints_text() -> str:
    """Exact versions: constraints.txt of this program, else those that are installed here."""
    pinned = constraints_file()
    if pinned is not None:
        return pinned.read_text("utf-8")
    found = {
        one.metadata["Name"]: one.version.partition("+")[0]
        for one in importlib.metadata.distributions()
        if one.metadata["Name"] and one.metadata["Name"].lower() != "diffusionseg"
    }
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found))


def bring_wheels(room: Path, requirement: str, progress: Progress) -> list[Path]:
    """Wheels of the requirement and all it needs, in room, for this Python and system, by pip; of
    torch the build for the CPU. pip's own settings hold (PIP_INDEX_URL, PIP_PROXY, ...).

    Raises ModelError with pip's last words, Cancelled.
    """
    constraints = room / "constraints.txt"
    constraints.write_text(constraints_text(), "utf-8")
    progress.report(0.0, "Making this program's wheel")
    checkout = _checkout()
    own = requirement.startswith("DiffusionSeg")
    if own and (checkout / "pyproject.toml").is_file():
        _pip(["wheel", "--no-deps", "--wheel-dir", str(room), str(checkout)], progress)
    plain = ["download", "--dest", str(room), "--find-links", str(room), "--only-binary", ":all:"]
    plain += ["-c", str(constraints)]
    if own and sys.platform != "darwin":
        progress.report(0.1, "Downloading torch for the CPU")
        # Only torch is asked of that place; found in room, its "+cpu" goes before the large build.
        _pip([*plain, "--no-deps", "--extra-index-url", _CPU, "torch"], progress)
    progress.report(0.4, "Downloading packages")
    _pip([*plain, requirement], progress)
    progress.report(1.0)
    return sorted(room.glob("*.whl"))


def _checkout() -> Path:
    return Path(DiffusionSegLib.__file__).resolve().parent.parent


def _pip(words: Sequence[str], progress: Progress) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                progress.check()
                try:
                    process.wait(_LOOK_S)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        told.seek(0)
        lines = told.read().decode("utf-8", "replace").strip().splitlines()
    if process.returncode:
        raise ModelError(
            f"pip could not bring the packages ({' '.join(lines[-3:])}). Check the network, "
            "HTTPS_PROXY and PIP_INDEX_URL, or export without wheels."
        )
