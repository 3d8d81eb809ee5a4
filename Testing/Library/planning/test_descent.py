import gc
import weakref
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.errors import Cancelled, OutOfMemoryError
from DiffusionSegLib.methods.forecast import Economies
from DiffusionSegLib.planning.descent import descend
from DiffusionSegLib.planning.ladder import Footing, ladder
from DiffusionSegLib.progress import Progress

WAYS = ladder(Footing("cuda:0", Economies(False, ("in small windows", "in tiny windows"), 2)))
ERRORS = [
    MemoryError(),
    RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    OutOfMemoryError("There is not enough memory for the attention pass"),
]


def failing(count, error=ERRORS[0], seen=None):
    def attempt(rung):
        if seen is not None:
            seen.append(rung)
        if len(seen) <= count:
            raise error
        return rung.device

    return attempt


@pytest.mark.parametrize(
    ("start", "error"), [*((0, error) for error in ERRORS), (1, ERRORS[0]), (2, ERRORS[0])]
)
def test_one_step_at_a_time_and_said(start, error):
    for failures in range(len(WAYS) - start):
        seen, released, stages = [], [], []
        progress = Progress(lambda report, heard=stages: heard.append(report.stage))
        found, rung = descend(
            WAYS, start, failing(failures, error, seen), progress, released.append
        )
        assert seen == list(WAYS[start : start + failures + 1]) and rung is seen[-1]
        assert found == rung.device and released == seen[:-1]
        assert len(stages) == failures
        assert all(stage.startswith("Out of memory: going on ") for stage in stages)


def test_the_stage_says_what_is_new():
    stages = []
    descend(WAYS, 0, failing(3, seen=[]), Progress(lambda report: stages.append(report.stage)))
    assert stages == [
        "Out of memory: going on in small windows",
        "Out of memory: going on in tiny windows",
        "Out of memory: going on on the processor instead of the NVIDIA GPU",
    ]


def test_when_nothing_is_left_it_says_what_was_tried():
    with pytest.raises(OutOfMemoryError) as caught:
        descend(WAYS, 1, failing(99, seen=[]), Progress.silent())
    assert "not even to outline it on the processor instead of the NVIDIA GPU and in tiny" in str(
        caught.value
    )
    with pytest.raises(OutOfMemoryError, match="for the attention pass"):
        descend(WAYS[:1], 0, failing(99, ERRORS[3], []), Progress.silent())


@settings(max_examples=15)
@given(st.lists(st.booleans(), max_size=5))
def test_room_elsewhere_comes_first(room):
    seen, asked = [], iter(room)
    attempt = failing(len(room), seen=seen)
    if sum(not made for made in room) >= len(WAYS):
        with pytest.raises(OutOfMemoryError):
            descend(WAYS, 0, attempt, Progress.silent(), make_room=lambda: next(asked))
        return
    descend(WAYS, 0, attempt, Progress.silent(), make_room=lambda: next(asked))
    steps = [WAYS.index(rung) for rung in seen]
    assert [after - before for before, after in pairwise(steps)] == [
        0 if made else 1 for made in room
    ]


@pytest.mark.parametrize("cyclic", [False, True])
def test_what_failed_is_gone_before_the_next_way(cyclic):
    """Even what refers to itself, which only a search for garbage finds."""

    class Large:
        def __init__(self):
            self.own = self if cyclic else None

    held = []

    def attempt(rung):
        assert not held or held[-1]() is None, "the last way's tensors are still there"
        large = Large()
        held.append(weakref.ref(large))
        if len(held) < 3:
            raise MemoryError
        return large

    gc.disable()
    try:
        assert descend(WAYS, 0, attempt, Progress.silent())[1] is WAYS[2]
    finally:
        gc.enable()


def test_stopping_works_between_the_ways():
    seen = []
    with pytest.raises(Cancelled):
        descend(WAYS, 0, failing(9, seen=seen), Progress(cancelled=lambda: True))
    assert len(seen) == 1


def test_a_mistake_is_not_taken_for_a_lack_of_memory():
    for error in (ValueError("x"), RuntimeError("shapes differ"), Cancelled()):
        seen = []
        with pytest.raises(type(error)):
            descend(WAYS, 0, failing(9, error, seen), Progress.silent())
        assert len(seen) == 1
