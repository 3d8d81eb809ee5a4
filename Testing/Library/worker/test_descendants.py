import os
import subprocess
import sys
from pathlib import Path

import pytest

from DiffusionSegLib.worker import descendants as module
from DiffusionSegLib.worker.descendants import descendants
from DiffusionSegLib.worker.process_tree import kill_tree, start
from Testing.Library.worker.toys import children, is_alive, wait_until

APART = (
    "import subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'],"
    " start_new_session=True)\n"
    "time.sleep(60)\n"
)
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows ends trees by itself")


@pytest.fixture
def parent():
    """A process with a child in a session of its own."""
    process = start([sys.executable, "-S", "-c", APART], os.environ)
    wait_until(lambda: len(children(process.pid)) == 1)
    yield process
    for pid in (*children(process.pid), process.pid):
        os.kill(pid, 9)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


@POSIX
def test_children_of_children_are_found(parent):
    assert set(descendants(parent.pid)) == children(parent.pid)
    assert {parent.pid, *descendants(parent.pid)} <= set(descendants(os.getpid()))
    assert descendants(descendants(parent.pid)[0]) == ()


@POSIX
def test_without_proc_ps_is_asked(parent, monkeypatch):
    """As on macOS; its answer in the form that POSIX gives it."""
    known = [(pid, parent.pid) for pid in children(parent.pid)] + [(parent.pid, os.getpid())]
    answer = "".join(f"{child:>5} {its_parent:>5}\n" for child, its_parent in known)

    def ask(command, **options):
        assert command == ["ps", "-A", "-o", "pid=,ppid="]
        return subprocess.CompletedProcess(command, 0, answer.encode(), b"")

    monkeypatch.setattr(module, "_PROC", Path("/no/proc"))
    monkeypatch.setattr(module.subprocess, "run", ask)
    assert set(descendants(parent.pid)) == children(parent.pid)


@POSIX
def test_a_system_that_tells_nothing_has_none(monkeypatch):
    def refuse(command, **options):
        raise FileNotFoundError(2, "ps")

    monkeypatch.setattr(module, "_PROC", Path("/no/proc"))
    monkeypatch.setattr(module.subprocess, "run", refuse)
    assert descendants(os.getpid()) == ()


@POSIX
def test_who_went_into_another_session_ends_with_the_tree():
    process = start([sys.executable, "-S", "-c", APART], os.environ)
    wait_until(lambda: len(children(process.pid)) == 1)
    (apart,) = children(process.pid)
    wait_until(lambda: os.getsid(apart) != os.getsid(process.pid))  # it has just been forked
    kill_tree(process)
    process.wait()
    wait_until(lambda: not is_alive(apart))
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
