import torch

from DiffusionSegLib.compute.device_memory import gpu_allocated, gpu_memory, release_unused
from Testing.Library.gpus import GIB, Gpus


def test_total_and_free_memory_of_a_gpu():
    there = Gpus(("cuda:0", "xpu:0"), total=24 * GIB, free=20 * GIB)
    assert gpu_memory("cuda:0", there.torch()) == (24 * GIB, 20 * GIB)
    assert gpu_memory("xpu:0", there.torch()) == (24 * GIB, 20 * GIB)


def test_the_total_is_told_where_the_free_memory_is_not():
    there = Gpus(("xpu:0",), silent=("xpu:0",), total=16 * GIB).torch()
    assert gpu_memory("xpu:0", there) == (16 * GIB, None)
    del there.xpu.mem_get_info  # torch 2.4 has none for Intel
    assert gpu_memory("xpu:0", there) == (16 * GIB, None)


def test_nothing_is_allocated_where_nothing_is_used():
    assert gpu_allocated("cpu") is None
    for kind in ("cuda", "xpu"):
        if not getattr(torch, kind).is_initialized():
            assert gpu_allocated(f"{kind}:0") is None


def test_giving_memory_back_is_no_matter_of_which_gpus_there_are():
    release_unused()
