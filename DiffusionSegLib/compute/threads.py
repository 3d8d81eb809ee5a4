"""How the processor's threads wait for each other."""

from __future__ import annotations

import os

__all__ = ["share_processor"]


def share_processor() -> None:
    """Let waiting OpenMP threads sleep instead of spin; call before torch is first imported.

    With spinning, one other busy program on a two-core machine makes small networks ten times
    slower. What the user set in OMP_WAIT_POLICY stays. Once torch is loaded this has no effect.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
