import os
import subprocess
import sys

import pytest
import torch

from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.torch_builds import torch_build
from DiffusionSegLib.worker.computer import Computer
from DiffusionSegLib.worker.devices import device_reports, torch_version
from Testing.Library.gpus import GIB, Gpus
from Testing.Project.source import ROOT

DRIVER = NvidiaDriver("580.65.06", ("NVIDIA RTX A4000",), "13.0", ("8.6",))
CUDA = "https://download.pytorch.org/whl"
BEST = torch_build(DRIVER, "linux").name


def reported(gpus, kind="cuda", **computer):
    """The reports of a kind of GPU on such a computer."""
    reports = device_reports(gpus.torch(), Computer(**computer))
    return [report for report in reports if report.name.startswith(kind)]


def having(driver=None, *cards, **more):
    return {"driver": lambda: driver, "cards": lambda: cards, **more}


def test_every_device_is_usable_or_says_why_not():
    reports = {report.name.partition(":")[0]: report for report in device_reports()}
    assert set(reports) == {"cpu", "cuda", "xpu", "mps"}
    assert reports["cpu"].usable
    assert reports["cpu"].memory_total > 1e9
    assert "threads" in reports["cpu"].title
    for report in reports.values():
        assert report.usable == (report.reason == "")
        assert not report.reason or report.reason.endswith(".")


def test_what_is_called_usable_computes():
    for report in device_reports():
        if report.usable:
            assert float(torch.ones(3, device=report.name).sum()) == 3.0


def test_every_gpu_is_reported_with_its_memory():
    gpus = Gpus(("cuda:0", "cuda:1", "xpu:0"), cuda_build="12.6", title="RTX A4000")
    first, second = reported(gpus)
    assert (first.name, second.name) == ("cuda:0", "cuda:1")
    assert first.usable and first.title == "RTX A4000"
    assert (first.memory_total, first.memory_free) == (8 * GIB, 6 * GIB)
    (intel,) = reported(gpus, "xpu")
    assert intel.usable and intel.name == "xpu:0" and intel.memory_total == 8 * GIB


def test_a_gpu_of_amd_is_named_as_such():
    (report,) = reported(Gpus(("cuda:0",), hip_build="6.2", title="AMD Radeon RX 7900 XTX"))
    assert report.title == "AMD Radeon RX 7900 XTX (ROCm)"
    assert report.usable


ABSENT = {
    "a build without CUDA": (
        Gpus(version="2.13.0+cpu"),
        having(DRIVER),
        "NVIDIA RTX A4000",
        "This torch (2.13.0+cpu) was built without CUDA, so it cannot use this GPU; install the "
        f"build {BEST}: pip install --force-reinstall torch==2.13.0 --index-url {CUDA}/{BEST}.",
        True,
    ),
    "a build without CUDA, an old GPU": (
        Gpus(version="2.13.0+cpu"),
        having(NvidiaDriver("580.65.06", ("Quadro P2000",), "13.0", ("6.1",))),
        "Quadro P2000",
        "This torch (2.13.0+cpu) was built without CUDA, so it cannot use this GPU; install the "
        "build cu126: pip install --force-reinstall torch==2.13.0 --index-url "
        f"{CUDA}/cu126.",
        True,
    ),
    "a build without CUDA, a driver for none": (
        Gpus(),
        having(NvidiaDriver("390.157", ("GeForce GTX 960M",), "9.1")),
        "GeForce GTX 960M",
        "The NVIDIA driver 390.157 is too old for every build of torch that fits this GPU; update "
        "the driver (https://www.nvidia.com/drivers), then install a build for CUDA.",
        True,
    ),
    "a driver too old": (
        Gpus(cuda_build="12.6"),
        having(NvidiaDriver("470.86", ("NVIDIA GeForce RTX 3050",), "11.4")),
        "NVIDIA GeForce RTX 3050",
        "The NVIDIA driver 470.86 is too old: this torch was built for CUDA 12.6, which needs the "
        "driver 525.60.13 or newer; update the driver (https://www.nvidia.com/drivers).",
        True,
    ),
    "a driver too old on Windows": (
        Gpus(cuda_build="12.6"),
        having(NvidiaDriver("516.94", ("NVIDIA GeForce RTX 3050",), "11.7"), system="Windows"),
        "NVIDIA GeForce RTX 3050",
        "The NVIDIA driver 516.94 is too old: this torch was built for CUDA 12.6, which needs the "
        "driver 528.33 or newer; update the driver (https://www.nvidia.com/drivers).",
        True,
    ),
    "a driver that torch finds too old": (
        Gpus(
            cuda_build="12.6",
            refusal="The NVIDIA driver on your system is too old (found version 11040). Please "
            "update your GPU driver",
        ),
        having(NvidiaDriver("999.1", ("A GPU",), "")),
        "A GPU",
        "The NVIDIA driver 999.1 is too old: this torch was built for CUDA 12.6, which needs the "
        "driver 525.60.13 or newer; update the driver (https://www.nvidia.com/drivers).",
        True,
    ),
    "a card without a driver": (
        Gpus(cuda_build="12.6"),
        having(None, "NVIDIA Corporation GA104GL [RTX A4000]"),
        "NVIDIA Corporation GA104GL [RTX A4000]",
        "The driver of this GPU is not installed or does not answer; install NVIDIA's driver "
        "(https://www.nvidia.com/drivers) and restart the computer.",
        True,
    ),
    "a driver that does not answer": (
        Gpus(cuda_build="12.6"),
        having(NvidiaDriver("", ("RTX A4000",), "", (), "Driver/library version mismatch")),
        "RTX A4000",
        "The driver of this GPU is not installed or does not answer (Driver/library version "
        "mismatch); install NVIDIA's driver (https://www.nvidia.com/drivers) and restart the "
        "computer.",
        True,
    ),
    "a GPU that a variable hides": (
        Gpus(cuda_build="12.6"),
        having(DRIVER, variables={"CUDA_VISIBLE_DEVICES": ""}),
        "NVIDIA RTX A4000",
        "The variable CUDA_VISIBLE_DEVICES hides every NVIDIA GPU; unset it.",
        True,
    ),
    "a driver updated without a restart": (
        Gpus(
            cuda_build="12.6",
            refusal="Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions "
            "before? Error 804: forward compatibility was attempted on non supported HW",
        ),
        having(DRIVER),
        "NVIDIA RTX A4000",
        "The parts of the NVIDIA driver are of different versions, as after an update; restart "
        "the computer.",
        True,
    ),
    "GPUs that wait for their fabric": (
        Gpus(cuda_build="12.6", refusal="Error 802: system not yet initialized"),
        having(DRIVER),
        "NVIDIA RTX A4000",
        "The service that joins the NVIDIA GPUs of this computer is not running; start it: "
        "systemctl start nvidia-fabricmanager.",
        True,
    ),
    "a driver that only nvidia-smi reaches": (
        Gpus(
            cuda_build="12.1",  # as torch 2.4.1 says it
            refusal="Found no NVIDIA driver on your system. Please check that you have an NVIDIA "
            "GPU and installed a driver from http://www.nvidia.com/Download/index.aspx",
        ),
        having(DRIVER),
        "NVIDIA RTX A4000",
        "torch does not reach the driver of this GPU; start a container with --gpus all, else "
        "install the driver again (https://www.nvidia.com/drivers).",
        True,
    ),
    "torch sees nothing and says nothing": (
        Gpus(cuda_build="12.6"),
        having(DRIVER),
        "NVIDIA RTX A4000",
        "torch does not find this GPU; restart the computer.",
        True,
    ),
    "AMD, ROCm, and no answer": (
        Gpus(hip_build="6.2"),
        having(None, "Advanced Micro Devices, Inc. [AMD/ATI] Navi 31"),
        "Advanced Micro Devices, Inc. [AMD/ATI] Navi 31",
        "This AMD GPU does not answer; check that the driver amdgpu is loaded, that your user is "
        "in the groups render and video, and that HIP_VISIBLE_DEVICES does not hide it.",
        True,
    ),
    "AMD, ROCm, and no answer on Windows": (
        Gpus(hip_build="6.4"),
        having(None, "AMD Radeon RX 7900 XTX", system="Windows"),
        "AMD Radeon RX 7900 XTX",
        "This AMD GPU does not answer; install AMD's newest driver for it.",
        True,
    ),
    "a build for AMD on a computer with NVIDIA": (
        Gpus(hip_build="6.2", version="2.13.0+rocm6.4"),
        having(DRIVER),
        "NVIDIA RTX A4000",
        "This torch (2.13.0+rocm6.4) was built for AMD GPUs; install a build for CUDA "
        "(https://pytorch.org/get-started/locally).",
        True,
    ),
    "a build for AMD and nothing": (
        Gpus(hip_build="6.2"),
        having(),
        "AMD GPU",
        "No AMD GPU was found in this computer.",
        False,
    ),
    "AMD without ROCm": (
        Gpus(version="2.13.0+cpu"),
        having(None, "Advanced Micro Devices, Inc. [AMD/ATI] Navi 31"),
        "Advanced Micro Devices, Inc. [AMD/ATI] Navi 31",
        "This torch (2.13.0+cpu) was built without ROCm, so it cannot use an AMD GPU; if ROCm "
        "serves yours, install the build for it (https://pytorch.org/get-started/locally).",
        False,
    ),
    "AMD on Windows": (
        Gpus(),
        having(None, "AMD Radeon RX 6600", system="Windows"),
        "AMD Radeon RX 6600",
        "The usual torch for Windows cannot use an AMD GPU; the processor is used instead.",
        False,
    ),
    "a GPU of an unknown kind": (
        Gpus(cuda_build="12.6"),
        having(None, "Qualcomm(R) Adreno(TM) X1-85 GPU", "Intel(R) UHD Graphics 630"),
        "Qualcomm(R) Adreno(TM) X1-85 GPU",
        "torch cannot use a graphics card of this kind; the processor does.",
        False,
    ),
    "nothing": (
        Gpus(cuda_build="12.6"),
        having(),
        "NVIDIA GPU",
        "No NVIDIA GPU was found in this computer.",
        False,
    ),
    "a Mac": (
        Gpus(mps_build=True),
        having(system="Darwin", machine="arm64", macos="15.1"),
        "NVIDIA GPU",
        "Macs have no NVIDIA GPU that torch can use.",
        False,
    ),
}


@pytest.mark.parametrize(
    ("gpus", "computer", "title", "sentence", "broken"), ABSENT.values(), ids=ABSENT
)
def test_why_torch_has_no_cuda(gpus, computer, title, sentence, broken):
    (report,) = reported(gpus, **computer)
    assert (report.name, report.usable) == ("cuda", False)
    assert report.title == title
    assert report.reason == sentence
    assert report.broken == broken


FAILING = {
    "too new": (
        "CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors",
        Gpus(capability=(12, 0), kernels=("sm_50", "sm_90"), version="2.13.0+cu126"),
        "This torch (2.13.0+cu126) has no code for so new a GPU: its architecture is sm_120, and "
        f"this build has code for sm_50 to sm_90; install the build {BEST}: pip install "
        f"--force-reinstall torch==2.13.0 --index-url {CUDA}/{BEST}.",
    ),
    "too old": (
        "CUDA error: no kernel image is available for execution on the device",
        Gpus(capability=(6, 1), kernels=("sm_75", "sm_120", "compute_120"), version="2.13.0+cu130"),
        "This torch (2.13.0+cu130) has no code for so old a GPU: its architecture is sm_61, and "
        "this build has code for sm_75 to sm_120; install the build cu126: pip install "
        f"--force-reinstall torch==2.13.0 --index-url {CUDA}/cu126.",
    ),
    "too old for all": (
        "CUDA error: no kernel image is available for execution on the device",
        Gpus(capability=(2, 1), kernels=("sm_75", "sm_120"), version="2.13.0+cu130"),
        "This torch (2.13.0+cu130) has no code for so old a GPU: its architecture is sm_21, and "
        "this build has code for sm_75 to sm_120; update the driver and torch, or compute with "
        "the processor.",
    ),
    "another process": (
        "CUDA error: CUDA-capable device(s) is/are busy or unavailable\nCUDA kernel errors might",
        Gpus(),
        "Another process has this GPU for itself; end that process (nvidia-smi lists it), or let "
        "several use the GPU: nvidia-smi -i 0 -c DEFAULT.",
    ),
    "another process, as older CUDA says it": (
        "CUDA error: all CUDA-capable devices are busy or unavailable",
        Gpus(),
        "Another process has this GPU for itself; end that process (nvidia-smi lists it), or let "
        "several use the GPU: nvidia-smi -i 0 -c DEFAULT.",
    ),
    "full": (
        "CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has a total capacity of 8 GiB",
        Gpus(free=3_000_000, total=8_000_000_000),
        "Its memory is full (3.0 MB of 8.0 GB are free); close the programs that use it "
        "(nvidia-smi lists them), or choose another device.",
    ),
    "so full that it does not tell": (
        "CUDA error: out of memory",
        Gpus(silent=("cuda:0",)),
        "Its memory is full; close the programs that use it (nvidia-smi lists them), or choose "
        "another device.",
    ),
    "ECC": (
        "CUDA error: uncorrectable ECC error encountered",
        Gpus(),
        "This GPU reports errors in its memory (ECC); restart the computer, and have the GPU "
        "checked when they come back.",
    ),
    "after sleep": (
        "CUDA error: unknown error",
        Gpus(),
        "The driver of this GPU has failed, as it may after sleep; restart the computer.",
    ),
    "AMD, no code": (
        "HIP error: invalid device function\nHIP kernel errors might be",
        Gpus(hip_build="6.2", version="2.13.0+rocm6.2", architecture="gfx1032:sramecc+:xnack-"),
        "This torch (2.13.0+rocm6.2, ROCm 6.2) has no code for this GPU, whose architecture is "
        "gfx1032; install a build that has, or start with the variable HSA_OVERRIDE_GFX_VERSION "
        "set to a related one (10.3.0, 11.0.0).",
    ),
    "something else": (
        "CUDA error: an illegal memory access was encountered\nSearch for cudaErrorIllegal",
        Gpus(),
        "The smallest computation fails on this GPU (CUDA error: an illegal memory access was "
        "encountered); update its driver and restart the computer, or choose another device.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "gpus", "sentence"), FAILING.values(), ids=FAILING)
def test_why_a_gpu_that_is_there_cannot_be_used(said, gpus, sentence):
    build = gpus.cuda_build or (None if gpus.hip_build else "12.6")
    there = Gpus(**{**vars(gpus), "names": ("cuda:0",), "broken": {"cuda:0": said},
                    "cuda_build": build})  # fmt: skip
    (report,) = reported(there, **having(DRIVER))
    assert (report.name, report.usable, report.broken) == ("cuda:0", False, True)
    assert report.reason == sentence
    assert report.memory_total == gpus.total


INTEL = {
    "a build without XPU": (
        Gpus(version="2.13.0+cpu"),
        having(None, "Intel Corporation DG2 [Arc A770]"),
        "Intel Corporation DG2 [Arc A770]",
        "This torch (2.13.0+cpu) was built without XPU, so it cannot use this GPU; install the "
        f"build xpu: pip install --force-reinstall torch --index-url {CUDA}/xpu.",
        False,
    ),
    "XPU without a driver": (
        Gpus(xpu_build="20250101"),
        having(None, "Intel Corporation DG2 [Arc A770]"),
        "Intel Corporation DG2 [Arc A770]",
        "This Intel GPU does not answer; install Intel's driver with Level Zero "
        "(https://dgpu-docs.intel.com/driver/client/overview.html) and add your user to the group "
        "render.",
        True,
    ),
    "XPU without a driver on Windows": (
        Gpus(xpu_build="20250101"),
        having(None, "Intel(R) Arc(TM) A770 Graphics", system="Windows"),
        "Intel(R) Arc(TM) A770 Graphics",
        "This Intel GPU does not answer; install Intel's driver with Level Zero "
        "(https://dgpu-docs.intel.com/driver/client/overview.html).",
        True,
    ),
    "one that only draws": (
        Gpus(xpu_build="20250101"),
        having(None, "Intel Corporation CoffeeLake-S GT2 [UHD Graphics 630]"),
        "Intel GPU",
        "No Intel GPU that torch can use (Arc, Data Center GPU Max) was found.",
        False,
    ),
    "a Mac": (
        Gpus(),
        having(system="Darwin", machine="arm64"),
        "Intel GPU",
        "Macs have no Intel GPU for torch.",
        False,
    ),
}


@pytest.mark.parametrize(
    ("gpus", "computer", "title", "sentence", "broken"), INTEL.values(), ids=INTEL
)
def test_why_torch_has_no_xpu(gpus, computer, title, sentence, broken):
    (report,) = reported(gpus, "xpu", **computer)
    assert (report.name, report.usable, report.title) == ("xpu", False, title)
    assert report.reason == sentence
    assert report.broken == broken


def test_an_intel_gpu_whose_memory_is_full():
    said = "level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)"
    (report,) = reported(Gpus(("xpu:0",), {"xpu:0": said}, free=2_000_000, total=16 * 10**9), "xpu")
    assert report.reason == (
        "Its memory is full (2.0 MB of 16.0 GB are free); close the programs that use it, or "
        "choose another device."
    )


APPLE = {
    "elsewhere": (Gpus(), {}, "This is not an Apple computer.", False),
    "an Intel Mac": (
        Gpus(mps_build=True),
        {"system": "Darwin", "machine": "x86_64", "macos": "15.0"},
        "This Mac has an Intel processor; torch uses the GPU of Apple's only.",
        False,
    ),
    "a build without": (
        Gpus(version="2.13.0"),
        {"system": "Darwin", "machine": "arm64", "macos": "15.0"},
        "This torch (2.13.0) was built without support for Apple GPUs; install the usual one: pip "
        "install --force-reinstall torch.",
        True,
    ),
    "macOS too old": (
        Gpus(version="2.13.0", mps_build=True),
        {"system": "Darwin", "machine": "arm64", "macos": "13.7.4"},
        "macOS 13.7.4 is too old: this torch (2.13.0) uses the GPU from macOS 14.0 on; update "
        "macOS.",
        True,
    ),
    "macOS too old for an older torch": (
        Gpus(version="2.5.1", mps_build=True),
        {"system": "Darwin", "machine": "arm64", "macos": "12.7.6"},
        "macOS 12.7.6 is too old: this torch (2.5.1) uses the GPU from macOS 13.0 on; update "
        "macOS.",
        True,
    ),
    "a virtual machine": (
        Gpus(version="2.13.0", mps_build=True),
        {"system": "Darwin", "machine": "arm64", "macos": "26.0"},
        "macOS offers torch no GPU here, as in a virtual machine.",
        False,
    ),
}


@pytest.mark.parametrize(("gpus", "computer", "sentence", "broken"), APPLE.values(), ids=APPLE)
def test_why_there_is_no_apple_gpu(gpus, computer, sentence, broken):
    (report,) = reported(gpus, "mps", **computer)
    assert (report.usable, report.reason, report.broken) == (False, sentence, broken)


def test_an_apple_gpu_shares_the_memory_of_the_computer():
    there = {"system": "Darwin", "machine": "arm64"}
    (report,) = reported(Gpus(("mps",)), "mps", **there)
    (processor,) = reported(Gpus(("mps",)), "cpu", **there)
    assert report.usable and report.memory_total == processor.memory_total
    (broken,) = reported(Gpus(("mps",), {"mps": "MPS backend out of memory"}), "mps", **there)
    assert broken.reason == (
        "Its memory is full; close the programs that use it, or choose another device."
    )


def test_a_torch_that_cannot_be_asked_for_one_kind_is_asked_for_the_others():
    odd = Gpus(("cuda:0",), cuda_build="12.6").torch()
    del odd.xpu
    found = {report.name: report for report in device_reports(odd, Computer())}
    assert found["cuda:0"].usable
    assert found["mps"].reason == "This is not an Apple computer."
    assert found["xpu"].broken
    assert found["xpu"].reason == (
        "torch cannot be asked for devices of this kind ('types.SimpleNamespace' object has no "
        "attribute 'xpu'); install it again."
    )


def test_driver_and_cards_are_asked_only_where_a_gpu_does_not_work():
    def never():
        raise AssertionError("this takes seconds")

    gpus = Gpus(("cuda:0", "xpu:0", "mps"), cuda_build="12.6")
    assert all(
        report.usable
        for report in device_reports(gpus.torch(), Computer(driver=never, cards=never))
    )


def test_the_processor_is_shared_even_when_the_question_for_devices_comes_first():
    program = (
        "import os, sys, types\n"
        "sys.modules['torch'] = types.ModuleType('torch')\n"  # the real one takes seconds
        "sys.modules['torch'].__version__ = '2'\n"
        "from DiffusionSegLib.worker.devices import torch_version\n"
        "assert torch_version()[0]\nprint(os.environ['OMP_WAIT_POLICY'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "PASSIVE\n", done.stderr


@pytest.mark.parametrize("missing", [True, False])
def test_torch_is_there_or_a_sentence(monkeypatch, missing):
    if missing:
        monkeypatch.setitem(sys.modules, "torch", None)
    version, problem = torch_version()
    assert (version is None) == missing
    assert (problem is not None) == missing
    if missing:
        assert problem.startswith("The Python package torch is missing or broken")
