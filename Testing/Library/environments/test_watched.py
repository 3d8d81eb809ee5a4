"""Long commands are heard, and end at once when they shall: also when their builder is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from DiffusionSegLib.environments.watched import clean_environment, run_watched
from DiffusionSegLib.errors import Cancelled, InputError
from Testing.Library.environments.toy_wheels import base_python
from Testing.Library.worker.toys import is_alive, wait_until
from Testing.Project.source import ROOT

PYTHON = (str(base_python()), "-I")


def run(*words, hear=lambda line: None, look=lambda: None, python=PYTHON):
    return run_watched(python, words, clean_environment(), hear, look)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes "-m toy" run this code in the other Python."""

    def make(code):
        (tmp_path / "toy.py").write_text(code)
        monkeypatch.setattr(
            "DiffusionSegLib.environments.watched.foreign_environment",
            lambda command: {**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        return (str(base_python()),)

    return make


def test_every_line_of_both_streams_is_heard_and_the_code_told(module):
    python = module("import sys; print('one'); print('two', file=sys.stderr); sys.exit(7)")
    heard = []
    ended = run("-m", "toy", "more", hear=heard.append, python=python)
    assert ended.code == 7
    assert sorted(ended.lines) == sorted(heard) == ["one", "two"]


def test_a_module_gets_its_arguments(module):
    python = module("import sys; print(sys.argv[1:], __name__)")
    assert run("-m", "toy", "a b", "-c", python=python).lines == ("['a b', '-c'] __main__",)


def test_a_program_is_run_as_well():
    ended = run(sys.executable, "-c", "print(3)")
    assert (ended.code, ended.lines) == (0, ("3",))
    assert run(sys.executable, "-c", "raise SystemExit(5)").code == 5


def test_a_python_that_is_not_there_is_a_sentence():
    with pytest.raises(InputError, match="'/no/such' cannot be started"):
        run("-m", "toy", python=("/no/such",))


@pytest.mark.skipif(os.name != "posix", reason="looks at processes as Linux shows them")
def test_a_cancellation_ends_it_and_what_it_started_within_a_second(module):
    python = module(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    heard = []

    def look():
        if heard:
            raise Cancelled()

    begun_s = time.monotonic()
    with pytest.raises(Cancelled):
        run("-m", "toy", hear=heard.append, look=look, python=python)
    wait_until(lambda: not is_alive(int(heard[0])))
    assert time.monotonic() - begun_s < 5.0  # with the start of two Pythons on a busy machine


@pytest.mark.skipif(os.name != "posix", reason="looks at processes as Linux shows them")
def test_it_does_not_outlive_a_builder_that_is_killed(tmp_path):
    (tmp_path / "toy.py").write_text(
        "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"
    )
    builder = (
        "import os\n"
        "from DiffusionSegLib.environments.watched import run_watched\n"
        f"given = {{**os.environ, 'PYTHONPATH': {str(tmp_path)!r}}}\n"
        f"run_watched(({str(base_python())!r},), ('-m', 'toy'), given,\n"
        "    lambda line: print(line, flush=True), lambda: None)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", builder], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    pid = int(process.stdout.readline())
    assert is_alive(pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not is_alive(pid))


def test_slicer_s_and_pip_s_diverting_variables_are_gone_and_the_proxy_stays(monkeypatch):
    for name in ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "SLICER_HOME", "PIP_TARGET",
                 "PIP_USER"):  # fmt: skip
        monkeypatch.setenv(name, "/x")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror")
    given = clean_environment()
    assert not {"PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "SLICER_HOME"} & set(given)
    assert not {"PIP_TARGET", "PIP_USER"} & set(given)
    assert (given["HTTPS_PROXY"], given["PIP_INDEX_URL"]) == ("http://proxy:1", "https://mirror")
