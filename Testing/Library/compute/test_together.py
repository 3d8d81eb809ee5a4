import threading

import pytest
import torch

from DiffusionSegLib.compute.together import together


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_items(threads):
    assert together(lambda item: item**2, list(range(20))) == [n**2 for n in range(20)]
    assert together(lambda item: item, []) == []


def test_an_error_is_raised(threads):
    with pytest.raises(ZeroDivisionError):
        together(lambda item: 1 // item, [1, 0, 2])


def test_two_threads_work_at_the_same_time_and_one_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    meeting = threading.Barrier(2, timeout=20)
    try:
        together(lambda _: meeting.wait(), [0, 1])  # breaks unless both are there
        torch.set_num_threads(1)
        own = threading.get_ident()
        assert together(lambda _: threading.get_ident(), [0, 1]) == [own, own]
    finally:
        torch.set_num_threads(before)
