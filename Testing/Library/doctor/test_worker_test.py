import sys

import pytest

from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.worker_test import section
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.command import default_command


@pytest.fixture
def examine(request):
    """A worker by some command; it is ended afterwards."""
    made = []

    def start(*command, progress=None, run=True):
        made.append(Examined(command or default_command(), run, {}))
        return section(made[-1], progress or Progress.silent()), made[-1]

    yield start
    for one in made:
        one.close()


def test_the_worker_as_the_panel_starts_it(examine):
    found, examined = examine()
    assert found.problems == ()
    (line,) = found.lines
    assert line.startswith("It answered ") and "of memory (protocol " in line
    assert 0 < found.facts["seconds_to_hello"] < 180
    assert 0 < found.facts["ping_ms"] < 10_000
    assert found.facts["memory_bytes"] > 20_000_000
    assert examined.hello is not None and examined.hello.torch is not None
    assert examined.client is not None and examined.client.is_running


def test_nothing_is_started_where_nothing_shall_run(examine):
    found, examined = examine(run=False)
    assert found.lines == ("Not started, as asked for.",)
    assert examined.client is None


def test_a_command_that_does_not_exist(examine):
    found, examined = examine("/no/such/python", "-m", "DiffusionSegLib.cli.main", "worker")
    (problem,) = found.problems
    assert problem.sentence.startswith("The worker command '/no/such/python -m")
    assert "cannot be started" in problem.sentence
    assert found.lines[0] == f"It does not answer: {problem.sentence}"
    assert examined.hello is None


def test_a_worker_without_torch_says_so(tmp_path, monkeypatch, examine):
    (tmp_path / "torch.py").write_text("raise ImportError('half of it', name='torch')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found, _ = examine()
    (problem,) = found.problems
    assert "The Python package torch is missing or broken where the worker runs" in problem.sentence
    assert problem.about == "torch"
    assert len(found.lines) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_worker_that_dies_of_torch_is_told_with_its_last_words(tmp_path, monkeypatch, examine):
    (tmp_path / "torch.py").write_text(
        "import os, sys\nprint('my last words', file=sys.stderr, flush=True)\n"
        "os.kill(os.getpid(), 11)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found, _ = examine()
    (problem,) = found.problems
    assert problem.sentence == (
        "The worker stopped unexpectedly (signal 11, SIGSEGV). Install torch again, or choose "
        "another Python for the worker."
    )
    assert len(found.lines) > 1


def test_a_request_to_stop_is_heard_while_torch_is_loaded(tmp_path, monkeypatch, examine):
    (tmp_path / "torch.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    asked = iter([False] * 3 + [True] * 100)
    with pytest.raises(Cancelled):
        examine(progress=Progress(cancelled=lambda: next(asked)))
