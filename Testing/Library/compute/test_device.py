import numpy as np
import pytest
import torch

from DiffusionSegLib.compute.device import (
    has_own_memory,
    memory_errors_explained,
    prefers_bfloat16,
    prefers_float16,
    resolve_device,
)
from DiffusionSegLib.errors import DeviceError, OutOfMemoryError
from Testing.Library.gpus import Gpus

ABSURD = 1 << 56  # bytes: more than any computer can address


def test_auto_is_a_device_that_computes():
    name = resolve_device("auto")
    assert torch.ones(2, device=name).sum().item() == 2
    assert resolve_device(name) == name
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gpu",
        "CPU",
        "cuda:",
        "cuda:-1",
        "cuda:x",
        "cpu:0",
        "cpu\n",
        "cudaa",
        "xpu:",
        "xpu:-1",
        "mps:0",
        "cuda:٣",
    ],
)
def test_junk_names_are_refused(name):
    with pytest.raises(
        DeviceError, match="must be auto, cpu, cuda, cuda:N, xpu, xpu:N or mps, not"
    ):
        resolve_device(name)


@pytest.mark.parametrize(
    ("name", "there", "sentence"),
    [
        (
            "cuda:1",
            Gpus(),
            "The device cuda:1 is not available: this torch was built without CUDA. Use --device "
            "auto or cpu.",
        ),
        (
            "cuda",
            Gpus(cuda_build="12.6"),
            "The device cuda is not available: no NVIDIA GPU answers. Use --device auto or cpu.",
        ),
        (
            "cuda",
            Gpus(hip_build="6.2"),
            "The device cuda is not available: no AMD GPU answers. Use --device auto or cpu.",
        ),
        (
            "xpu",
            Gpus(),
            "The device xpu is not available: this torch was built without Intel's XPU. Use "
            "--device auto or cpu.",
        ),
        (
            "xpu:0",
            Gpus(xpu_build="20250101"),
            "The device xpu:0 is not available: no Intel GPU answers. Use --device auto or cpu.",
        ),
        (
            "cuda:2",
            Gpus(("cuda:0", "cuda:1"), cuda_build="12.6"),
            "The device cuda:2 does not exist: there are 2 GPUs, numbered from 0.",
        ),
        (
            "mps",
            Gpus(),
            "The device mps (Apple GPU) is not available here; use --device auto or cpu.",
        ),
    ],
)
def test_an_absent_gpu_is_a_sentence(name, there, sentence):
    with pytest.raises(DeviceError) as caught:
        resolve_device(name, there.torch())
    assert str(caught.value) == sentence


def test_a_torch_of_another_maker_may_lack_a_kind():
    there = Gpus(("cuda:0",), {"cuda:0": "CUDA error"}).torch()
    del there.xpu
    assert resolve_device("auto", there) == "cpu"
    with pytest.raises(DeviceError, match="built without Intel's XPU"):
        resolve_device("xpu", there)


def test_a_gpu_without_a_number_gets_one():
    there = Gpus(("cuda:0", "cuda:1", "xpu:0", "mps")).torch()
    assert resolve_device("cuda", there) == "cuda:0"
    assert resolve_device("cuda:1", there) == "cuda:1"
    assert resolve_device("xpu", there) == "xpu:0"
    assert resolve_device("mps", there) == "mps"


@pytest.mark.parametrize(
    ("names", "broken", "best"),
    [
        (("mps", "xpu:0", "cuda:0"), (), "cuda:0"),
        (("mps", "xpu:0"), (), "xpu:0"),
        (("mps",), (), "mps"),
        ((), (), "cpu"),
        (("cuda:0", "cuda:1"), ("cuda:0",), "cuda:1"),
        (("cuda:0", "xpu:0", "mps"), ("cuda:0",), "xpu:0"),
        (("cuda:0", "xpu:0", "mps"), ("cuda:0", "xpu:0"), "mps"),
        (("cuda:0", "xpu:0", "mps"), ("cuda:0", "xpu:0", "mps"), "cpu"),
    ],
)
def test_automatic_takes_the_first_that_computes_and_says_what_it_leaves_out(
    caplog, names, broken, best
):
    there = Gpus(names, dict.fromkeys(broken, "CUDA error: no kernel image is available\nfor it"))
    assert resolve_device("auto", there.torch()) == best
    assert [record.getMessage() for record in caplog.records] == [
        f"The device {name} is left out: the smallest computation fails there "
        "(CUDA error: no kernel image is available for it)."
        for name in broken
    ]


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="here mps exists")
def test_an_absent_apple_gpu_is_a_sentence():
    with pytest.raises(DeviceError, match="mps"):
        resolve_device("mps")


def test_bfloat16_is_asked_of_the_processor():
    assert isinstance(prefers_bfloat16("cpu"), bool)
    assert prefers_bfloat16("mps") is False


@pytest.mark.parametrize(
    ("there", "device", "native"),
    [
        (Gpus(("cuda:0",), capability=(7, 5), cuda_build="12.6"), "cuda:0", False),  # emulated
        (Gpus(("cuda:0",), capability=(8, 0), cuda_build="12.6"), "cuda:0", True),
        (Gpus(("cuda:0",), capability=(12, 0), cuda_build="12.8"), "cuda:0", True),
        (Gpus(("cuda:0",), hip_build="6.2"), "cuda:0", True),
        (Gpus(("xpu:0",)), "xpu:0", True),
    ],
)
def test_bfloat16_that_is_only_emulated_is_not_used(there, device, native):
    assert prefers_bfloat16(device, there.torch()) is native


@pytest.mark.parametrize(
    ("device", "is_card"),
    [("cuda:1", True), ("xpu:0", True), ("xpu", True), ("mps", False), ("cpu", False)],
)
def test_graphics_cards_compute_in_half_precision_and_have_a_memory_of_their_own(device, is_card):
    assert prefers_float16(device) == has_own_memory(device) == is_card


@pytest.mark.parametrize(
    "allocate",
    [lambda: torch.empty(ABSURD, dtype=torch.uint8), lambda: np.empty(ABSURD, np.uint8)],
    ids=["torch", "numpy"],
)
def test_a_real_allocation_failure_is_explained(allocate):
    sentence = "not enough memory for the test; choose"
    with pytest.raises(OutOfMemoryError, match=sentence), memory_errors_explained("the test"):
        allocate()


@pytest.mark.parametrize(
    "text",
    ["CUDA out of memory. Tried to allocate 2.00 GiB", "MPS backend out of memory",
     "CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate",
     "itk::ERROR: Failed to allocate memory for image.",
     "XPU out of memory. Tried to allocate 20.00 GiB",
     "level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)",
     "HIP out of memory. Tried to allocate 2.00 GiB", "Invalid buffer size: 24.00 GB",
     "std::bad_alloc"],
)  # fmt: skip
def test_the_words_of_other_allocators_are_known(text):
    with pytest.raises(OutOfMemoryError), memory_errors_explained("the test"):
        raise RuntimeError(text)


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match="shapes differ"), memory_errors_explained("the test"):
        raise RuntimeError("shapes differ")
    with memory_errors_explained("the test"):
        pass
