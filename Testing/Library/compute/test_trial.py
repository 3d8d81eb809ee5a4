from types import SimpleNamespace

import torch

from DiffusionSegLib.compute.trial import trial_failure
from Testing.Library.gpus import Gpus


def test_the_processor_computes():
    assert trial_failure("cpu") is None


def test_what_torch_says_of_a_device_is_handed_on():
    missing = next(
        name for name in ("mps", "xpu", "cuda") if not getattr(torch, name).device_count()
    )
    assert isinstance(trial_failure(missing), RuntimeError | AssertionError)
    broken = Gpus(("cuda:0",), {"cuda:0": "CUDA error: unspecified launch failure"}).torch()
    assert str(trial_failure("cuda:0", broken)) == "CUDA error: unspecified launch failure"


def test_a_wrong_sum_is_a_failure():
    wrong = SimpleNamespace(ones=lambda count, device: torch.zeros(count))
    assert str(trial_failure("cuda:0", wrong)) == "1 + 1 is 1.0 there"
