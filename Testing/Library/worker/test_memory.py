import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from DiffusionSegLib.compute.device_memory import gpu_allocated
from DiffusionSegLib.worker import windows_memory
from DiffusionSegLib.worker.mac_memory import free_pages
from DiffusionSegLib.worker.memory import (
    PeakMeter,
    computer_memory,
    process_memory,
)

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")


@contextmanager
def held(size: int) -> Iterator[None]:
    """Memory straight from the system: an allocator might use again what it has."""
    with mmap.mmap(-1, size) as block:
        np.frombuffer(block, np.uint8)[:] = 1
        yield


@linux
def test_the_numbers_agree_with_each_other():
    total, free = computer_memory()
    assert 0 < process_memory() < total
    assert 0 < free <= total


@linux
def test_the_process_grows_with_what_it_holds():
    before = process_memory()
    with held(30_000_000):
        assert process_memory() - before > 25_000_000


@linux
def test_a_peak_is_what_rose_since_the_meter_was_made():
    with held(60_000_000):
        pass
    meter = PeakMeter("cpu")
    rise = meter.rise()
    if rise is None:
        pytest.skip("this container does not let the peak be reset")
    assert rise < 20_000_000
    with held(60_000_000):
        pass
    assert 50_000_000 < meter.rise() < 90_000_000


@pytest.mark.parametrize("kind", ["cuda", "xpu"])
def test_the_peak_of_a_graphics_card_is_asked_of_torch(kind):
    asked = []
    module = SimpleNamespace(
        reset_peak_memory_stats=asked.append,
        memory_allocated=lambda device: 1000,
        max_memory_allocated=lambda device: 5000,
    )
    meter = PeakMeter(f"{kind}:1", SimpleNamespace(**{kind: module}))
    assert asked == [f"{kind}:1"]
    assert meter.rise() == 4000


def test_a_torch_that_does_not_tell_a_peak():
    assert PeakMeter("xpu:0", SimpleNamespace(xpu=SimpleNamespace())).rise() is None


def test_nothing_is_made_up():
    assert PeakMeter("mps").rise() is None
    assert gpu_allocated("cpu") is None


@pytest.mark.skipif(sys.platform == "win32", reason="there they tell")
def test_the_windows_part_tells_nothing_elsewhere():
    assert windows_memory.windows_memory() == (None, None)
    assert windows_memory.windows_resident() == 0


VM_STAT = """\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               12072.
Pages active:                            410213.
Pages inactive:                          405322.
Pages speculative:                         3711.
Pages throttled:                              0.
Pages wired down:                        109521.
Pages purgeable:                           2048.
"""


def test_what_a_mac_calls_free_is_what_a_new_program_may_have():
    assert free_pages(VM_STAT) == (12072 + 405322 + 3711 + 2048) * 16384
    assert free_pages("no numbers") is None
    assert free_pages("") is None
