"""The bridge needs no Qt and no application, and loads no torch."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slicer
ROOT = Path(__file__).resolve().parents[3]
BRIDGE = ROOT / "DiffusionSeg" / "DiffusionSegBridge"
CHILD = """
import sys
for name in ("qt", "ctk", "torch"):
    sys.modules[name] = None  # an import of it fails
import importlib, slicer
for name in {modules}:
    importlib.import_module("DiffusionSegBridge." + name)
assert not any(name.startswith("PySide") for name in sys.modules)
"""


def test_every_file_is_imported_without_qt_and_torch() -> None:
    pytest.importorskip("slicer", reason="slicer-core has no wheel for this platform")
    modules = sorted(path.stem for path in BRIDGE.glob("*.py") if path.stem != "__init__")
    assert "volumes" in modules
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(modules=modules)],
        cwd=ROOT / "DiffusionSeg",
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
