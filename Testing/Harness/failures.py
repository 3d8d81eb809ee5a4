"""What went wrong without raising: exceptions in slots and observers, VTK errors, Qt warnings.

PythonQt and VTK print an exception that leaves a Python callback, and go on; tests look here.
"""

from __future__ import annotations

import sys
import threading
import traceback
from dataclasses import dataclass, field
from types import TracebackType

import vtk


@dataclass
class Failures:
    """Everything collected since `clear`."""

    exceptions: list[BaseException] = field(default_factory=list)
    vtk_errors: list[str] = field(default_factory=list)
    vtk_warnings: list[str] = field(default_factory=list)
    qt_warnings: list[str] = field(default_factory=list)

    def clear(self) -> None:
        """Forget all of it."""
        for found in (self.exceptions, self.vtk_errors, self.vtk_warnings, self.qt_warnings):
            found.clear()

    def report(self) -> str:
        """All of it in words; empty when nothing failed. Warnings do not count as failures."""
        raised = ["".join(traceback.format_exception(error)) for error in self.exceptions]
        return "\n".join(raised + self.vtk_errors)


failures = Failures()


def watch() -> None:
    """Collect from now on, in this process."""
    sys.excepthook = _on_exception
    threading.excepthook = lambda args: failures.exceptions.append(
        args.exc_value or RuntimeError(f"{args.exc_type} in a thread")
    )
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)  # said once, by the report
    window = vtk.vtkOutputWindow()
    window.SetDisplayModeToNever()
    _observe(window, "ErrorEvent", failures.vtk_errors)
    _observe(window, "WarningEvent", failures.vtk_warnings)
    vtk.vtkOutputWindow.SetInstance(window)


def _on_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    failures.exceptions.append(error)
    traceback.print_exception(kind, error, trace)


def _observe(window: vtk.vtkOutputWindow, event: str, found: list[str]) -> None:
    def collect(_caller: object, _event: str, text: str) -> None:
        found.append(text)

    collect.CallDataType = vtk.VTK_STRING
    window.AddObserver(event, collect)
