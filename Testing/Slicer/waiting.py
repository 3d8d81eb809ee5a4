"""Letting Slicer work until something is true."""

from __future__ import annotations

import time
from collections.abc import Callable


class Waiting:
    """For what a test opens; `status` is what the user would read meanwhile."""

    @property
    def status(self) -> str:
        """The sentence that is shown."""
        return ""

    def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Let Slicer work until something is true; fails when it never is."""
        import slicer

        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never came true; status: {self.status!r}"
            slicer.app.processEvents()
            time.sleep(0.005)
