"""The names of this computer's graphics cards, from the system: torch knows only those it can use.

The Windows branch follows Microsoft's documentation and is not tested.
"""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["graphics_cards", "made_by", "pci_cards", "system_cards"]

_PATIENCE_S = 4.0
_PCI = Path("/sys/bus/pci/devices")
_DISPLAY_CLASS = "0x03"
_CLASSES = ("VGA compatible controller", "3D controller", "Display controller")
_VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
_WORDS = {
    "NVIDIA": ("nvidia", "geforce", "quadro", "tesla"),
    "AMD": ("amd", "advanced micro devices", "radeon", "[amd/ati]"),
    "Intel": ("intel",),
}
# Screens of servers and virtual machines, which compute nothing.
_MERE_SCREENS = (
    "aspeed", "matrox", "vmware", "virtio", "qemu", "cirrus", "qxl", "red hat", "innotek",
    "virtualbox", "hyper-v", "microsoft", "bochs", "hisilicon", "parsec", "citrix", "remote",
)  # fmt: skip
_POWERSHELL = (
    "powershell", "-NoProfile", "-NonInteractive", "-Command",
    "(Get-CimInstance Win32_VideoController).Name",
)  # fmt: skip


def graphics_cards() -> tuple[str, ...]:
    """Those that might compute; empty when there is none or it cannot be told. Never raises."""
    system = platform.system()
    names: tuple[str, ...] = ()
    if system == "Windows":
        names = tuple(line.strip() for line in _said(_POWERSHELL).splitlines())
    elif system == "Linux":
        names = pci_cards(_said(("lspci", "-mm"))) or system_cards()
    return tuple(dict.fromkeys(name for name in names if name and not _is_mere_screen(name)))


def made_by(vendor: str, cards: Sequence[str]) -> tuple[str, ...]:
    """Of the cards those of "NVIDIA", "AMD" or "Intel"."""
    return tuple(card for card in cards if any(word in card.lower() for word in _WORDS[vendor]))


def pci_cards(listing: str) -> tuple[str, ...]:
    """From what `lspci -mm` prints, makers and names: "NVIDIA Corporation GA104 [RTX A4000]"."""
    found = []
    for line in listing.splitlines():
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        if len(words) >= 4 and words[1] in _CLASSES:
            found.append(f"{words[2]} {words[3]}")
    return tuple(found)


def system_cards(folder: Path = _PCI) -> tuple[str, ...]:
    """Without lspci: the maker alone and the number of the device, "NVIDIA 2684"."""
    found = []
    for device in sorted(folder.glob("*")):
        if _line(device / "class").startswith(_DISPLAY_CLASS):
            vendor = _VENDORS.get(_line(device / "vendor"))
            if vendor is not None:
                found.append(f"{vendor} {_line(device / 'device').removeprefix('0x')}")
    return tuple(found)


def _is_mere_screen(name: str) -> bool:
    return any(word in name.lower() for word in _MERE_SCREENS)


def _line(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""


def _said(command: Sequence[str]) -> str:
    program = shutil.which(command[0]) or shutil.which(command[0], path="/usr/sbin:/sbin")
    if program is None:
        return ""
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows no console flashes up
    try:
        done = subprocess.run(
            [program, *command[1:]], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_PATIENCE_S, check=False, creationflags=flags,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")
