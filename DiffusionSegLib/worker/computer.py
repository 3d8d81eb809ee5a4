"""What decides, apart from torch, why a GPU cannot be used: system, driver, graphics cards."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from DiffusionSegLib.environments.driver import NvidiaDriver, nvidia_driver
from DiffusionSegLib.worker.graphics_cards import graphics_cards

__all__ = ["SYSTEMS", "Computer", "this_computer"]

SYSTEMS = {"Windows": "win32", "Linux": "linux", "Darwin": "darwin"}  # as sys.platform says it


@dataclass(frozen=True)
class Computer:
    """system, machine: as module platform names them ("Linux", "x86_64"); macos: its version, ""
    elsewhere; driver, cards: asked only when a GPU does not work, because asking takes time."""

    system: str = "Linux"
    machine: str = "x86_64"
    macos: str = ""
    driver: Callable[[], NvidiaDriver | None] = lambda: None
    cards: Callable[[], tuple[str, ...]] = tuple
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_windows(self) -> bool:
        """Whether it runs Windows."""
        return self.system == "Windows"


def this_computer() -> Computer:
    """Where this process runs; every question is asked once."""
    return Computer(
        platform.system(),
        platform.machine(),
        platform.mac_ver()[0],
        cache(nvidia_driver),
        cache(graphics_cards),
        os.environ,
    )
