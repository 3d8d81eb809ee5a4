"""The driver, asked by way of a program on PATH and of Linux's files."""

import os
import stat
import time

import pytest

from DiffusionSegLib.environments import driver
from DiffusionSegLib.environments.driver import NvidiaDriver, numbers, nvidia_driver
from DiffusionSegLib.environments.torch_builds import (
    CPU,
    PINNED,
    find_build,
    index_address,
    least_driver,
    pypi_serves,
    requirement,
    torch_build,
    torch_builds,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nvidia-smi is a shell script here")
HEADER = "| NVIDIA-SMI 550.54.14    Driver Version: 550.54.14    CUDA Version: 12.4     |"


@pytest.fixture
def say(tmp_path, monkeypatch):
    """Puts an nvidia-smi that does this on PATH."""

    def make(script):
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")

    monkeypatch.setenv("PATH", "/nowhere")
    return make


def asked(tmp_path):
    return nvidia_driver(tmp_path / "proc", tmp_path / "pci")


def test_without_a_card_there_is_no_driver(say, tmp_path):
    assert asked(tmp_path) is None


def test_cards_driver_and_cuda_are_told(say, tmp_path):
    say(
        'case "$1" in --query-gpu=*compute_cap) echo "NVIDIA GeForce RTX 3090, 550.54.14, 8.6"; '
        f'echo "Tesla V100, 550.54.14, 7.0";; *) echo "{HEADER}";; esac'
    )
    assert asked(tmp_path) == NvidiaDriver(
        "550.54.14", ("NVIDIA GeForce RTX 3090", "Tesla V100"), "12.4", ("8.6", "7.0")
    )


def test_an_old_nvidia_smi_does_not_know_capabilities(say, tmp_path):
    say(
        'case "$1" in *compute_cap) echo "Field \\"compute_cap\\" is not a valid field to query."; '
        'exit 2;; --query*) echo "Quadro P4000, 418.87";; *) echo "nothing";; esac'
    )
    assert asked(tmp_path) == NvidiaDriver("418.87", ("Quadro P4000",), "")


def test_one_that_hangs_does_not_hold_up(say, tmp_path, monkeypatch):
    say("exec sleep 30")
    assert driver._PATIENCE_S < 5.0
    monkeypatch.setattr(driver, "_PATIENCE_S", 0.3)
    begun_s = time.monotonic()
    assert asked(tmp_path) is None
    assert time.monotonic() - begun_s < 3.0


def test_linux_s_files_are_asked_when_it_fails(say, tmp_path):
    say("echo broken; exit 9")
    card = tmp_path / "proc" / "gpus" / "0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA A100-PCIE-40GB\nIRQ: 1\n")
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\n"
    (tmp_path / "proc" / "version").write_text(version)
    assert asked(tmp_path) == NvidiaDriver("535.104.05", ("NVIDIA A100-PCIE-40GB",), "")


def test_a_card_without_a_driver_is_seen_with_what_nvidia_smi_said(say, tmp_path):
    say("echo NVIDIA-SMI has failed because it could not communicate; exit 9")
    for name, vendor, kind in (("gpu", "0x10de", "0x030000"), ("sound", "0x10de", "0x040300"),
                               ("intel", "0x8086", "0x030000")):  # fmt: skip
        (tmp_path / "pci" / name).mkdir(parents=True)
        (tmp_path / "pci" / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / "pci" / name / "class").write_text(f"{kind}\n")
    found = asked(tmp_path)
    assert (found.version, found.gpus) == ("", ("an NVIDIA GPU",))
    assert "could not communicate" in found.problem


@pytest.mark.parametrize(
    ("version", "capabilities", "system", "name"),
    [
        ("595.10", ("8.9",), "linux", "cu132"),  # the newest that there is
        ("580.65.06", ("12.0",), "linux", "cu132"),  # CUDA 13.x needs 580
        ("580.65.06", ("7.0",), "linux", "cu126"),  # Volta has no code for CUDA 13
        ("595.10", ("6.1",), "win32", "cu126"),
        ("575.51.03", ("12.0",), "linux", "cu128"),  # Blackwell has no code for CUDA 12.6
        ("575.51.03", ("12.1",), "linux", CPU),  # a card that only CUDA 13 builds have code for
        ("575.51.03", ("8.9",), "linux", "cu126"),
        ("525.60.13", (), "linux", "cu126"),
        ("525.60.12", (), "linux", "cu118"),
        ("528.32", (), "win32", "cu118"),
        ("528.33", (), "win32", "cu126"),
        ("470.82", ("3.7",), "linux", "cu118"),
        ("450.80.01", (), "linux", CPU),
        ("595.10", ("8.9",), "darwin", CPU),
        ("", (), "linux", CPU),
    ],
)
def test_the_newest_build_that_driver_and_card_serve(version, capabilities, system, name):
    found = NvidiaDriver(version, ("a card",), "", capabilities)
    assert torch_build(found, system).name == name


def test_without_a_card_the_processor_s_build():
    assert torch_build(None).name == CPU
    assert torch_builds()[-1].name == CPU


def test_what_pip_is_asked_for(monkeypatch):
    monkeypatch.delenv("DIFFUSIONSEG_TORCH_INDEX", raising=False)
    build = find_build("cu126")
    assert requirement(build, "linux") == f"torch=={PINNED}+cu126"
    assert index_address(build, "win32") == "https://download.pytorch.org/whl/cu126"
    assert (requirement(build, "darwin"), index_address(build, "darwin")) == (
        f"torch=={PINNED}",
        "",
    )
    monkeypatch.setenv("DIFFUSIONSEG_TORCH_INDEX", "https://mirror.example/whl/")
    assert index_address(build, "linux") == "https://mirror.example/whl/cu126"


def test_pypi_has_cuda_13_for_linux_and_the_processor_s_for_windows():
    served = [
        (build.name, system)
        for build in torch_builds()
        for system in ("linux", "win32")
        if pypi_serves(build, system)
    ]
    assert served == [("cu132", "linux"), ("cu130", "linux"), (CPU, "linux"), (CPU, "win32")]


def test_least_drivers_are_those_of_nvidia_s_table():
    assert (least_driver("11.8", False), least_driver("11.8", True)) == ("450.80.02", "452.39")
    assert (least_driver("12.6", False), least_driver("12.6", True)) == ("525.60.13", "528.33")
    assert least_driver("13.2", False) == "580"
    assert least_driver("", False) == least_driver("9.0", False) == ""


def test_numbers_of_versions():
    assert numbers("2.13.0+cu126") == (2, 13, 0)
    assert numbers("550.54.14") == (550, 54, 14)
    assert numbers("") == numbers("N/A") == ()
