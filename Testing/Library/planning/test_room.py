import resource
import subprocess
import sys

import pytest

from DiffusionSegLib.planning import room
from DiffusionSegLib.planning.room import free_bytes, usable_bytes

_LIMITED = """
import resource
from pathlib import Path
from DiffusionSegLib.planning.room import free_bytes
lines = Path("/proc/self/status").read_text().splitlines()
used = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmSize:"))
resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000, resource.RLIM_INFINITY))
print(free_bytes("cpu"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space")
def test_a_limit_of_this_process_counts():
    done = subprocess.run([sys.executable, "-c", _LIMITED], capture_output=True, text=True)
    assert 200_000_000 < int(done.stdout) <= 300_000_000, done.stderr
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_the_least_of_what_is_known_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(room, "_GROUP", tmp_path)
    assert free_bytes("cpu", lambda: 5_000) == 5_000
    (tmp_path / "memory.max").write_text("9000\n")
    (tmp_path / "memory.current").write_text("8000\n")
    assert free_bytes("cpu", lambda: 5_000) == 1_000
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 2500\n")
    assert free_bytes("cpu", lambda: 5_000) == 3_500
    (tmp_path / "memory.max").write_text("max\n")
    assert free_bytes("mps", lambda: 5_000) == 5_000, "Apple's GPU has no memory of its own"
    assert free_bytes("cpu", lambda: None) is None


def test_a_gpu_tells_itself(monkeypatch):
    monkeypatch.setattr(room, "gpu_memory", lambda device: (10, 7) if device == "cuda:1" else 1 / 0)
    assert free_bytes("cuda:1") == 7

    def silent(device):
        raise RuntimeError("no answer")

    monkeypatch.setattr(room, "gpu_memory", silent)
    assert free_bytes("xpu:0") is None


def test_a_tenth_is_left_alone():
    assert usable_bytes(1_000) == 900 and usable_bytes(None) is None
