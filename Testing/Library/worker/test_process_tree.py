import os
import signal
import subprocess
import sys
import time

import pytest

from DiffusionSegLib.worker.process_tree import ended_by, kill_tree, start, wait_for_end
from Testing.Library.worker.toys import children, is_alive, wait_until


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "killed, often"), (137, "killed, often"),
     (-11, "signal 11, SIGSEGV"), (139, "signal 11, SIGSEGV"), (255, "exit code 255")],
)  # fmt: skip
def test_ends_in_words(code, words):
    assert words in ended_by(code)


@pytest.mark.skipif(os.name != "posix", reason="a shell makes the tree")
def test_the_whole_tree_ends_and_nothing_else():
    before = children()
    bystander = subprocess.Popen(["sleep", "30"])
    process = start(["sh", "-c", "(sleep 30; true) & sh -c 'sleep 30; true'"], os.environ)
    wait_until(lambda: len(children() - before) >= 5)
    tree = children() - before - {bystander.pid}
    kill_tree(process)
    assert wait_for_end(process, 10)
    assert process.wait() == -signal.SIGKILL
    wait_until(lambda: not any(is_alive(pid) for pid in tree))
    assert is_alive(bystander.pid)
    bystander.kill()
    bystander.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_an_end_is_waited_for_without_taking_the_number_away():
    process = start([sys.executable, "-S", "-c", "import sys; sys.exit(5)"], os.environ)
    assert wait_for_end(process, 10)
    assert process.returncode is None
    kill_tree(process)  # of a process that has ended: harmless
    assert process.wait() == 5
    assert wait_for_end(process, 0)
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_waiting_has_an_end():
    process = start([sys.executable, "-S", "-c", "import time; time.sleep(20)"], os.environ)
    begun_s = time.monotonic()
    assert not wait_for_end(process, 0.1)
    assert time.monotonic() - begun_s < 1
    kill_tree(process)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
