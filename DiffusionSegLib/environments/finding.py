"""One thing that is wrong, and the button that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Finding", "Place", "Remedy"]


class Remedy(Enum):
    """What the button does."""

    NOTHING = "nothing"
    INSTALL_PACKAGES = "install packages"
    CREATE_ENVIRONMENT = "create environment"
    REPAIR_ENVIRONMENT = "repair environment"
    INSTALL_TORCH = "install torch"
    REPLACE_TORCH = "replace torch"
    INSTALL_PYTORCH_EXTENSION = "install the extension PyTorch"
    UPDATE_DRIVER = "update driver"


@dataclass(frozen=True)
class Finding:
    """code: for programs; sentence: what is wrong, the value found, what to do; blocks: nothing
    can be computed until it is mended."""

    code: str
    sentence: str
    remedy: Remedy
    blocks: bool


@dataclass(frozen=True)
class Place:
    """Where packages would be put: for each kind of remedy the one that fits there, and how torch
    is mended in words."""

    python: str
    install: Remedy
    install_torch: Remedy
    replace_torch: Remedy
    words: str

    @property
    def again(self) -> str:
        """In words, where torch is there already."""
        is_own = self.install is Remedy.REPAIR_ENVIRONMENT
        return self.words if is_own else f"{self.words} again"

    def in_build(self, name: str) -> str:
        """In words, when it has to be that build ("cu126")."""
        is_own = self.install is Remedy.REPAIR_ENVIRONMENT
        how = ", which brings the build" if is_own else " in the build"
        return f"{self.words}{how} {name}"
