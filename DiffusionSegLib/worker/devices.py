"""Which devices there are, and why one cannot be used. Imports torch when called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from DiffusionSegLib.compute.lazy_torch import torch_or
from DiffusionSegLib.compute.threads import share_processor
from DiffusionSegLib.worker.answers import DeviceReport
from DiffusionSegLib.worker.computer import Computer, this_computer
from DiffusionSegLib.worker.failures import explained
from DiffusionSegLib.worker.gpu_apple import mps_report
from DiffusionSegLib.worker.gpu_cuda import cuda_reports
from DiffusionSegLib.worker.gpu_intel import xpu_reports
from DiffusionSegLib.worker.memory import computer_memory

__all__ = ["device_reports", "torch_version"]

_BROKEN = (AttributeError, NameError, RuntimeError, SyntaxError, TypeError, ValueError)


def torch_version() -> tuple[str | None, str | None]:
    """(version, None), or (None, why nothing can be computed). Imports torch."""
    share_processor()
    try:
        import torch

        return str(torch.__version__), None
    except (ImportError, OSError) as error:
        return None, str(explained(error))
    except _BROKEN as error:  # files of two versions, or only some files
        what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return None, (
            f"The Python package torch is there only in part where the worker runs ({what}); "
            f'install it again with "{sys.executable}" -m pip install --force-reinstall torch.'
        )


def device_reports(torch: Any = None, computer: Computer | None = None) -> tuple[DeviceReport, ...]:
    """The processor, every NVIDIA or AMD GPU, every Intel GPU and Apple's; of a kind that is not
    there, why. Needs torch.

    torch, computer: for tests, which describe devices that are not here.
    """
    torch, computer = torch_or(torch), computer or this_computer()
    total, free = computer_memory()
    title = f"Processor, {torch.get_num_threads()} threads"
    return (
        DeviceReport("cpu", title, True, "", total, free),
        *_asked("cuda", "NVIDIA GPU", lambda: cuda_reports(torch, computer)),
        *_asked("xpu", "Intel GPU", lambda: xpu_reports(torch, computer)),
        *_asked("mps", "Apple GPU", lambda: [mps_report(torch, computer)]),
    )


def _asked(name: str, title: str, ask: Callable[[], list[DeviceReport]]) -> list[DeviceReport]:
    """A torch of an odd build that cannot be asked for one kind may well be for others."""
    try:
        return ask()
    except (AttributeError, AssertionError, RuntimeError, OSError) as error:
        said = " ".join(str(error).split())[:300]
        reason = f"torch cannot be asked for devices of this kind ({said}); install it again."
        return [DeviceReport(name, title, False, reason, broken=True)]
