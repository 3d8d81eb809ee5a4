"""What is known of a repository's file before it is here, and whether what came is that file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.progress import Progress

__all__ = ["Announced"]


@dataclass(frozen=True)
class Announced:
    """card: sha256 that the model's card lists; sha256 (large files) and sha1 (small ones, as git
    names them) that the hub tells; each "" where nobody says."""

    path: str
    size: int
    sha256: str = ""
    sha1: str = ""
    card: str = ""

    @property
    def checked(self) -> str:
        """With what a file of these sums was compared: "card", "hub" or "" for nothing."""
        return "card" if self.card else "hub" if self.sha256 or self.sha1 else ""

    @property
    def contradiction(self) -> str:
        """Why the hub's file cannot be the card's; "" when it may be."""
        if self.card and self.sha256 not in ("", self.card):
            return f"its {self.path} {_another(self.card, self.sha256)}"
        return ""

    def good_sha256(self, file: Path, progress: Progress) -> str | None:
        """The sha256 of a file that is what was announced, else None."""
        if not file.is_file():
            return None
        sha256 = file_sha256(file, progress)
        return sha256 if self._is(file, sha256) else None

    def _is(self, file: Path, sha256: str) -> bool:
        if file.stat().st_size != self.size:
            return False
        if self.card or self.sha256:
            return sha256 in (self.card, self.sha256) and not self.contradiction
        if not self.sha1:
            return True
        content = file.read_bytes()  # small: large files have a sha256
        blob = b"blob %d\0" % len(content) + content  # as git names a file
        return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == self.sha1


def _another(wanted: str, found: str) -> str:
    return f"is another file than the card's (sha256 {found[:12]}... instead of {wanted[:12]}...)"
