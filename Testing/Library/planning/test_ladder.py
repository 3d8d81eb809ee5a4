import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.forecast import Economies, Economy
from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.planning.ladder import Footing, ladder

REGION = Box((0, 0, 0), (10, 10, 10))
ALL = Economies(True, ("in smaller windows", "in the smallest windows"), 2, 40.0)


def test_everything_that_can_be_done_in_order():
    rungs = ladder(Footing("cuda:0", ALL, frozenset({"cuda:0"}), 9, REGION))
    assert [rung.said for rung in rungs[:7]] == [
        (),
        ("in half precision",),
        ("in half precision", "in smaller windows"),
        ("in half precision", "in the smallest windows"),
        ("in half precision", "in the smallest windows", "with 4 instead of 9 samples"),
        ("in half precision", "in the smallest windows", "with 2 instead of 9 samples"),
        ("in half precision", "in the smallest windows", "with 2 instead of 9 samples",
         "only within 40 mm of the marks"),
    ]  # fmt: skip
    assert rungs[6].economy == Economy(True, 2) and rungs[6].region is REGION
    assert rungs[7].said == ("on the processor instead of the NVIDIA GPU",)
    assert rungs[7].economy == Economy() and rungs[7].samples is None
    assert "in half precision" not in rungs[8].said  # the processor is not fast in it
    assert rungs[-1].device == "cpu" and rungs[-1].region is REGION and rungs[-1].samples == 2


def test_a_method_that_can_do_nothing_still_leaves_the_gpu():
    assert [rung.device for rung in ladder(Footing("xpu:0"))] == ["xpu:0", "cpu"]
    (only,) = ladder(Footing("cpu"))
    assert only.said == () and only.sentence == ""


@given(st.integers(1, 1000), st.integers(0, 1000))
def test_samples_never_fall_below_the_least(asked, least):
    rungs = ladder(Footing("cpu", Economies(least_samples=least), samples=asked))
    samples = [rung.samples for rung in rungs[1:]]
    assert all(least <= number < asked for number in samples)
    assert samples == sorted(samples, reverse=True)
    assert (least == 0 or least >= asked) == (samples == [])


@pytest.mark.parametrize("device", ["cpu", "cuda:1", "mps"])
def test_the_sentence_tells_all(device):
    last = ladder(Footing(device, ALL, frozenset(), 5, REGION))[-1]
    assert last.sentence.startswith("For lack of memory it was outlined ")
    assert all(part in last.sentence for part in last.said) and last.sentence.endswith("marks.")
