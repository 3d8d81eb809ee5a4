import numpy as np
import pytest
import torch

from DiffusionSegLib.compute.device import (
    memory_errors_explained,
    prefers_bfloat16,
    resolve_device,
)
from DiffusionSegLib.errors import DeviceError, OutOfMemoryError

ABSURD = 1 << 56  # bytes: more than any computer can address


def test_auto_is_a_device_that_computes():
    name = resolve_device("auto")
    assert torch.ones(2, device=name).sum().item() == 2
    assert resolve_device(name) == name
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize(
    "name", ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "cpu\n", "cudaa"]
)
def test_junk_names_are_refused(name):
    with pytest.raises(DeviceError, match="must be auto, cpu, cuda, cuda:N or mps, not"):
        resolve_device(name)


def test_an_absent_gpu_is_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("cuda", "cuda:1"):
        with pytest.raises(
            DeviceError, match=f"The device {name} is not available: .*--device auto"
        ):
            resolve_device(name)


def test_a_gpu_number_that_does_not_exist(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda") == "cuda:0"
    assert resolve_device("cuda:1") == "cuda:1"
    with pytest.raises(DeviceError, match="cuda:2 does not exist: there are 2 GPUs"):
        resolve_device("cuda:2")


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="here mps exists")
def test_an_absent_apple_gpu_is_a_sentence():
    with pytest.raises(DeviceError, match="mps"):
        resolve_device("mps")


def test_bfloat16_is_asked_of_the_processor():
    assert isinstance(prefers_bfloat16("cpu"), bool)
    assert prefers_bfloat16("mps") is False


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
     "itk::ERROR: Failed to allocate memory for image."],
)  # fmt: skip
def test_the_words_of_other_allocators_are_known(text):
    with pytest.raises(OutOfMemoryError), memory_errors_explained("the test"):
        raise RuntimeError(text)


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match="shapes differ"), memory_errors_explained("the test"):
        raise RuntimeError("shapes differ")
    with memory_errors_explained("the test"):
        pass
