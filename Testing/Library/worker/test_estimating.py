import pytest

from DiffusionSegLib.methods.contract import Workload
from DiffusionSegLib.planning.rates import Rate
from DiffusionSegLib.worker.estimating import worded

LOAD = Workload(100.0, "27 windows, up to 5 samples", 400_000_000)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.01, "0.1 s"), (0.44, "0.4 s"), (12.2, "12 s"), (89, "89 s"), (100, "2 min"),
     (3000, "50 min"), (6000, "1.7 h")],
)  # fmt: skip
def test_words(seconds, words):
    found = worded(LOAD, Rate(seconds / 100, 100_000_000), "cpu", 400_000_000, None)
    assert found.words == f"About {words} and 0.9 GB on the processor (27 windows, up to 5 samples)"
    assert found.seconds == pytest.approx(seconds)
    assert found.memory_bytes == 900_000_000


def test_what_is_not_known_is_not_said():
    found = worded(LOAD, Rate(0.1), "mps", 1, 1)
    assert found.words == "About 10 s on the Apple GPU (27 windows, up to 5 samples)"
    assert found.memory_bytes is None


def test_too_little_memory_is_said():
    rate = Rate(0.1, 100_000_000)
    assert worded(LOAD, rate, "cpu", 0, 300_000_000).words.endswith("; only 0.3 GB are free")
    assert "free" not in worded(LOAD, rate, "cpu", 0, 600_000_000).words
