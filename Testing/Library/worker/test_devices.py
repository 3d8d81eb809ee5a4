import os
import subprocess
import sys

import pytest

from DiffusionSegLib.worker.devices import device_reports, torch_version
from Testing.Project.source import ROOT


def test_every_device_is_usable_or_says_why_not():
    reports = {report.name.partition(":")[0]: report for report in device_reports()}
    assert set(reports) == {"cpu", "cuda", "mps"}
    assert reports["cpu"].usable
    assert reports["cpu"].memory_total > 1e9
    assert "threads" in reports["cpu"].title
    for report in reports.values():
        assert report.usable == (report.reason == "")
        assert not report.reason or report.reason.endswith(".")


def test_what_is_called_usable_computes():
    import torch

    for report in device_reports():
        if report.usable:
            assert float(torch.ones(3, device=report.name).sum()) == 3.0


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
