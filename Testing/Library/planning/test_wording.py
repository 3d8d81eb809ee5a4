import pytest

from DiffusionSegLib.planning.wording import device_words, duration_words, joined, size_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.01, "0.1 s"), (0.44, "0.4 s"), (12.2, "12 s"), (89, "89 s"), (100, "2 min"),
     (3000, "50 min"), (6000, "1.7 h")],
)  # fmt: skip
def test_durations(seconds, words):
    assert duration_words(seconds) == words


def test_sizes():
    assert [size_words(size) for size in (1, 37e6, 2.14e9)] == ["1 MB", "37 MB", "2.1 GB"]


def test_devices():
    found = [device_words(name) for name in ("cpu", "mps", "xpu:1", "cuda:0", "cuda:2")]
    assert found == [
        "the processor", "the Apple GPU", "the Intel GPU 1", "the NVIDIA GPU", "the NVIDIA GPU 2",
    ]  # fmt: skip


def test_lists():
    assert [joined(list(part)) for part in ("", "a", "ab", "abc")] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
