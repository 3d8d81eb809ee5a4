import sys
from dataclasses import replace

import pytest

from DiffusionSegLib.doctor.devices import section
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.report import Report
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import Cancelled, WorkerError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.answers import DeviceReport, Hello
from DiffusionSegLib.worker.command import default_command

GPU = DeviceReport("cuda:0", "RTX A4000", True, "", 16_000_000_000, 15_000_000_000)


def told_by(*devices, problem=None):
    hello = Hello(2, {}, sys.executable, devices, 1, "2.13.0", problem)
    return Examined(default_command(), True, {}, hello=hello)


def broken_torch(tmp_path, monkeypatch, program):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_devices_as_the_worker_tells_them():
    absent = DeviceReport("mps", "Apple GPU", False, "This is not an Apple computer.")
    unknown = replace(GPU, name="xpu:0", title="Arc A770", memory_free=None)
    found = section(told_by(GPU, unknown, absent), Progress.silent())
    assert found.lines == (
        "cuda:0: RTX A4000, 16.0 GB of memory, 15.0 GB free; usable",
        "xpu:0: Arc A770, 16.0 GB of memory; usable",
        "mps: Apple GPU; not usable: This is not an Apple computer.",
    )
    assert found.problems == ()
    assert found.facts["devices"][0]["memory_free"] == 15_000_000_000


def test_only_a_gpu_that_ought_to_work_is_a_problem():
    broken = replace(GPU, usable=False, reason="Its memory is full; close programs.", broken=True)
    other = replace(broken, name="cuda:1", title="RTX A5000", reason="It is too old; get another.")
    absent = DeviceReport("xpu", "Intel GPU", False, "No Intel GPU was found.")
    found = section(told_by(broken, other, absent), Progress.silent())
    assert [one.sentence for one in found.problems] == [
        "RTX A4000: Its memory is full; close programs.",
        "RTX A5000: It is too old; get another.",
    ]
    finding = Section("A", (), (Problem("The GPU is full.", "gpu"),))
    assert Report((finding, found)).problems == (
        "The GPU is full.",
        "RTX A5000: It is too old; get another.",
    )


def test_without_a_worker_a_short_process_tells(examined):
    found = section(examined, Progress.silent())
    assert found.lines[0].startswith("cpu: Processor, ")
    assert len(found.lines) >= 4
    assert found.facts["devices"][0]["name"] == "cpu"


def test_a_worker_that_did_not_answer_is_not_asked_again():
    found = section(Examined(default_command(), True, {}), Progress.silent())
    assert found.lines == ("Not known, because the worker did not answer.",)


def test_a_worker_elsewhere_could_only_tell_itself():
    found = section(
        Examined(("ssh", "host", "diffusionseg", "worker"), False, {}), Progress.silent()
    )
    assert found.lines == ("Not known: only the worker could tell.",)


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("raise RuntimeError('no libcudart')", "torch is there only in part where the worker runs "
         "(RuntimeError: no libcudart); install it again with"),
        ("raise ImportError('no libcudart', name='torch')", "torch is missing or broken where"),
        ("__path__ = []", "torch is there only in part where the worker runs (AttributeError"),
    ],
)  # fmt: skip
def test_a_torch_that_cannot_be_imported_is_a_line(
    tmp_path, monkeypatch, examined, program, sentence
):
    broken_torch(tmp_path, monkeypatch, program)
    found = section(examined, Progress.silent())
    (line,) = found.lines
    assert f"The Python package {sentence}" in line
    assert [(one.sentence, one.about) for one in found.problems] == [(line, "torch")]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_torch_that_ends_its_process_ends_no_other(tmp_path, monkeypatch, examined):
    broken_torch(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(WorkerError) as caught:
        section(examined, Progress.silent())
    assert str(caught.value) == (
        "The question for devices ended without an answer (signal 11, SIGSEGV); install torch "
        "again."
    )


def test_the_question_can_be_stopped(tmp_path, monkeypatch, examined):
    broken_torch(tmp_path, monkeypatch, "import time; time.sleep(60)")
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        section(examined, Progress(cancelled=lambda: next(asked)))
