"""A real doctor, and commands that are none: whatever happens, no process is left."""

import os
import sys
import time

import pytest

from DiffusionSegLib.doctor.child import examine
from DiffusionSegLib.doctor.command import doctor_command
from DiffusionSegLib.errors import Cancelled, InputError, WorkerError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.command import default_command, foreign_environment
from Testing.Library.worker.toys import children, wait_until

APART = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'],"
    " start_new_session=True)\n"
)
POSIX = pytest.mark.skipif(os.name != "posix", reason="looks at processes as Linux shows them")


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = children()
    yield
    wait_until(lambda: children() <= before)


def toy(code, progress=None, limit_s=60.0):
    """A command that does this in place of a doctor."""
    command = (sys.executable, "-S", "-c", code)
    return examine(command, os.environ, progress or Progress.silent(), limit_s)


def test_a_real_doctor_is_heard_and_its_report_read(own_models):
    command = doctor_command(default_command())
    heard = []
    found = examine(
        command, foreign_environment(command), Progress(heard.append), options=("--no-run",)
    )
    assert found.works, found.problems
    assert not found.complete
    assert found.text.startswith("Versions\n")
    assert found.text.endswith("(The worker and the sample images were not tried.)\n")
    stages = [report.stage for report in heard]
    assert {"The worker's Python", "Models"} <= set(stages), stages
    fractions = [report.fraction for report in heard]
    assert fractions == sorted(fractions) and 0 < fractions[-1] <= 1


def test_how_far_it_is_and_its_complaints_are_told_apart(tmp_path):
    """It goes on when what it said was heard: only the latest is told at each look."""
    heard = []

    def hear(report):
        heard.append((report.fraction, report.stage))
        (tmp_path / report.stage).touch()

    code = (
        "import os, sys, time\n"
        "for line, stage in ((' 12 %  Worker', 'Worker'), (' 40 %  Sample a  2 min left', "
        "'Sample a')):\n"
        "    print(line, file=sys.stderr, flush=True)\n"
        f"    while not os.path.exists(os.path.join({str(tmp_path)!r}, stage)): time.sleep(0.01)\n"
        "print('no such thing', file=sys.stderr)\n"
    )
    with pytest.raises(WorkerError, match="its last words: no such thing") as told:
        toy(code, Progress(hear))
    assert heard[1:] == [(0.12, "Worker"), (0.4, "Sample a")]
    assert told.value.log == "no such thing"


def test_a_command_that_is_not_there():
    with pytest.raises(InputError, match=r"'/no/such/python' cannot be started .*; correct"):
        examine(("/no/such/python",), os.environ, Progress.silent())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "SIGABRT"),
        ("raise SystemExit(7)", "exit code 7"),
        ("print('not me'); print()", "exit code 0; its last words: not me"),
        ("raise RuntimeError('torn')", "RuntimeError: torn"),
    ],
)
@POSIX
def test_one_that_crashes_or_is_no_doctor(code, words):
    with pytest.raises(WorkerError, match="ended without a report") as told:
        toy(code)
    assert words in str(told.value)


@POSIX
def test_a_cancellation_ends_it_and_what_it_started_at_once():
    before = children()
    asked_s = []

    def cancelled():
        if not asked_s and len(children() - before) >= 2:
            asked_s.append(time.monotonic())
        return bool(asked_s)

    with pytest.raises(Cancelled):
        toy(APART + "time.sleep(60)", Progress(cancelled=cancelled))
    assert time.monotonic() - asked_s[0] < 5  # of 60, on a busy machine
    wait_until(lambda: children() <= before, 5)


@POSIX
def test_one_that_hangs_is_stopped_in_time():
    code = "import sys, time; print('  7 %  Worker', file=sys.stderr, flush=True); time.sleep(60)"
    begun_s = time.monotonic()
    with pytest.raises(WorkerError, match=r"within 3 s while it looked at 'Worker'.*stopped;"):
        toy(code, limit_s=3.0)
    assert time.monotonic() - begun_s < 30


@POSIX
def test_what_a_crashed_one_left_behind_holds_nothing_up():
    """A child that has its output keeps that open."""
    begun_s = time.monotonic()
    with pytest.raises(WorkerError, match="exit code 3"):
        toy("import os, time\nif os.fork() == 0:\n    time.sleep(60)\nos._exit(3)")
    assert time.monotonic() - begun_s < 40


def test_one_that_prints_without_an_end_is_stopped_and_fills_no_memory():
    with pytest.raises(WorkerError, match="did not end within"):
        toy("import sys\nwhile True: sys.stdout.write('y' * 65536)", limit_s=1.0)
