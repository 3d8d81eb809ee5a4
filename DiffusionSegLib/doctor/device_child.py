"""Run as a process of its own: the devices that torch sees, as JSON in the last line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from DiffusionSegLib.worker.devices import device_reports, torch_version

__all__ = ["MARK", "main"]

MARK = "DiffusionSeg-devices:"


def main() -> None:
    """A torch that ends the process on import ends this one only."""
    version, problem = torch_version()
    devices = [asdict(report) for report in device_reports()] if version is not None else []
    told = {"problem": problem, "devices": devices}
    sys.stdout.write(f"\n{MARK}{json.dumps(told)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
