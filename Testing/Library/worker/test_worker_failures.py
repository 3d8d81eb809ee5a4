"""Whatever happens to the worker: one sentence, and the next request starts it again."""

import os
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

from DiffusionSegLib.errors import DiffusionSegError, InputError, OutOfMemoryError, WorkerError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.protocol import PROTOCOL
from Testing.Library.worker.toys import (
    COMMAND,
    children,
    environment,
    has_begun,
    image,
    is_alive,
    setup,
    wait_until,
)
from Testing.Project.source import ROOT

LONG = {"steps": 1000, "pause": 0.02}


def worker_pid(client):
    """Of the innermost process."""
    wait_until(lambda: client._greeted, 20, client.poll)
    return max(children())


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_kill_fails_what_waits_and_the_next_request_starts_it_again_with_its_image(start):
    client = start()
    client.set_image("a", image())
    ticket = client.propose(setup(**LONG), "a", Prompt())
    report = client.memory()
    wait_until(lambda: report.is_finished and has_begun(ticket), 20, client.poll)
    os.kill(worker_pid(client), signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"stopped unexpectedly .killed, often because.*again"):
        ticket.result(10)
    assert not client.is_running
    found = client.propose(setup(seed=3), "a", Prompt()).result(20)  # the image is sent anew
    assert found.provenance.seed == 3
    assert client.restarts == 1


@pytest.mark.parametrize(
    ("fault", "words"), [("die", "killed, often because"), ("crash", "signal 6, SIGABRT")]
)
def test_a_job_that_ends_the_process(start, fault, words):
    client = start()
    client.set_image("a", image())
    with pytest.raises(WorkerError, match=words) as caught:
        client.propose(setup(fault=fault), "a", Prompt()).result(20)
    if fault == "crash":
        assert "Fatal Python error: Aborted" in caught.value.log
        assert "Fatal Python error: Aborted" in client.last_log
    assert client.propose(setup(), "a", Prompt()).result(20) is not None


def test_what_libraries_print_lands_in_the_log(start):
    client = start()
    client.set_image("a", image())
    for seed in range(3):
        found = client.propose(setup(seed, fault="print"), "a", Prompt()).result(20)
        assert found.provenance.seed == seed
    wait_until(lambda: client.last_log.count("more noise, from C") == 3)
    assert client.last_log.count("noise from a library") == 3
    assert client.restarts == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("/no/such/python", "worker"), r"'/no/such/python worker' cannot be started .*settings"),
        (("false",), "'false' ended before it was ready .exit code 1.; correct it"),
        (("cat",), "Instead of a worker's greeting came 'describe'"),
        (("echo", "hello"), r"does not start a worker\. Instead of a worker's greeting came 'hel"),
        (("yes",), "does not start a worker. Instead of a worker's greeting came 'y"),
        (
            (sys.executable, "-c", "import no_such_module"),
            "Its last words: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ((sys.executable, "-c", "import os; os.write(1, b'DSG1' + bytes(60))"), "header is not"),
        (
            (sys.executable, "-c", "import os; os.write(1, b'DSG1' + b'\\xff' * 60)"),
            "claims 4294967295 .* more than any",
        ),
        (("sleep", "30"), "said nothing for 0.5 s after its start"),
        ((), "command is empty"),
    ],
    ids=["missing", "false", "cat", "echo", "yes", "module", "zeros", "huge", "silent", "empty"],
)
def test_a_command_that_is_no_worker(start, command, words):
    client = start(command, start_timeout_s=0.5 if command[:1] == ("sleep",) else 20)
    error = InputError if not command else WorkerError
    with pytest.raises(error, match=words):
        client.describe().result(15)
    assert not client.is_running


def test_a_worker_of_another_version(start):
    greeting = (
        "import os, time; from DiffusionSegLib.worker.frames import *; import io;"
        "FrameWriter(io.FileIO(1, 'wb')).write(Frame({'kind': 'greeting', 'protocol': 99}));"
        "time.sleep(20)"
    )
    words = f"version 99 of the protocol and this program {PROTOCOL}; install"
    with pytest.raises(WorkerError, match=words):
        start((sys.executable, "-c", greeting)).describe().result(15)


SPEAKING = """
import io, os, sys, time
from DiffusionSegLib.worker.frames import Frame, FrameReader, FrameWriter
from DiffusionSegLib.worker.protocol import PROTOCOL
writer = FrameWriter(io.FileIO(1, "wb"))
writer.write(Frame({"kind": "greeting", "protocol": PROTOCOL}))
number = FrameReader(io.FileIO(0, "rb")).read().header["id"]
"""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("os.write(1, b'x' * 50)", "sent cannot be read, so it was stopped. Instead of a frame"),
        ("os.write(1, b'DSG1' + bytes([255] * 12))", "more than any"),
        ("os.write(1, b'DSG1' + bytes(3))", "ended after 7 of 16 bytes"),
        ("writer.write(Frame({'kind': 'answer', 'id': number}))", "answer cannot be read .KeyErr"),
        (
            "writer.write(Frame({'kind': 'answer', 'id': number, 'type': 'Hello', 'value': {}}))",
            "answer cannot be read .KeyError: 'devices'",
        ),
        (
            "writer.write(Frame({'kind': 'failure', 'id': number, 'error': 'Odd'}))\n"
            "writer.write(Frame({'kind': 'poem', 'id': number}))\n"
            "writer.write(Frame({'kind': 'progress', 'id': number + 9}))",
            "^$",
        ),
        ("sys.exit(0)", "stopped unexpectedly .exit code 0.. The next request starts it"),
    ],
    ids=["text", "huge", "truncated", "empty", "hollow", "odd", "gone"],
)
def test_a_garbled_answer_is_one_sentence(start, answer, words):
    client = start((sys.executable, "-c", f"{SPEAKING}\n{answer}\n"))
    with pytest.raises(WorkerError, match=words):
        client.describe().result(15)
    client.poll()


@pytest.mark.parametrize(
    "garbage",
    [
        b"x" * 100,
        b"DSG1\x02\x00\x00\x00" + bytes(8) + b"{}",
        b"DSG1" + b"\xff" * 12,
        b"DSG1\x05\x00\x00\x00",
    ],
    ids=["text", "no kind", "huge", "truncated"],
)
def test_a_garbled_request_stops_the_worker_with_a_sentence(start, garbage):
    client = start()
    client.set_image("a", image())
    client.prepare(setup(), "a").result(20)

    process = client._link._process
    process.stdin.write(garbage)
    ticket = client.propose(setup(), "a", Prompt())
    if len(garbage) < 16:
        process.stdin.close()
    with pytest.raises(WorkerError, match=r"could not read a request: (Instead|A frame)"):
        ticket.result(10)
    assert client.propose(setup(seed=2), "a", Prompt()).result(20).provenance.seed == 2


def test_one_nonsense_message_among_good_ones_fails_alone(start):
    client = start()
    client.set_image("a", image())
    client.prepare(setup(), "a").result(20)
    for header in (
        {"kind": "propose", "key": "a", "setup": 3, "region": None},
        {"kind": "propose", "key": "a", "setup": setup().to_dict(), "region": {"x": 1}},
        {"kind": "refine", "key": "a", "setup": setup().to_dict(), "region": None, "edited": 5},
        {"kind": "set_image", "key": "z", "image": {}},
        {"kind": "cancel"},
    ):
        with pytest.raises(DiffusionSegError, match=r"cannot be read|mistake in the prog"):
            client._submit(header).result(5)
    with pytest.raises(InputError, match="knows no request of kind 'dance'"):
        client._submit({"kind": "dance"}).result(5)
    client._send({"kind": "cancel", "of": 12345})
    assert client.propose(setup(), "a", Prompt()).result(5) is not None
    assert client.restarts == 0


def test_a_wrapper_and_all_its_processes_end(start, tmp_path):
    """As PythonSlicer, which starts the real Python and waits for it."""
    launcher = script(
        tmp_path / "launch er", f"sleep 60 & sh -c '\"{sys.executable}\" -m {COMMAND[2]}'; wait"
    )
    before = children()
    client = start((launcher,))
    client.set_image("a", image())
    ticket = client.propose(setup(**LONG), "a", Prompt())
    wait_until(lambda: has_begun(ticket), 20, client.poll)
    tree = children() - before
    assert len(tree) >= 3
    client.close()
    wait_until(lambda: not any(is_alive(pid) for pid in tree))


def test_over_ssh_where_the_login_speaks_first(start, tmp_path):
    """A stand-in for ssh that prints a greeting and starts the command it is given."""
    ssh = script(
        tmp_path / "ssh",
        f'echo "Welcome to $1"; echo "Last login: today"; shift\n'
        f'[ "$1 $2" = "diffusionseg worker" ] || exit 9\nexec {" ".join(COMMAND)}',
    )
    client = start((ssh, "gpu-host", "diffusionseg", "worker"))
    client.set_image("a", image())
    assert client.propose(setup(seed=8), "a", Prompt()).result(20).provenance.seed == 8


@pytest.mark.parametrize(
    ("how", "busy"),
    [
        ("stdin closed", True),
        ("parent killed", False),
        ("parent killed", True),
        ("stdin held open", True),
    ],
)
def test_the_worker_ends_with_its_front_end(tmp_path, bright_models, busy, how):
    """Another process starts the client and is killed, even while a job notices nothing."""
    fault = "setup(fault='hang', steps=1, pause=60.0)" if busy else "setup()"
    wait = "t.result(20)"
    if busy:
        wait = "wait_until(lambda: t.progress and t.progress.stage == 'Hanging', 20, c.poll)"
    hold = "os.set_inheritable(c._link._process.stdin.fileno(), True)\n" if "held" in how else ""
    hold += "subprocess.Popen(['sleep', '20'], close_fds=False)\n" if hold else ""
    front = (
        "import os, subprocess, sys, time\n"
        "from DiffusionSegLib.nouns.prompt import Prompt\n"
        "from DiffusionSegLib.worker.client import WorkerClient\n"
        "from Testing.Library.worker.toys import *\n"
        f"c = WorkerClient(COMMAND, dict(os.environ))\n"
        "c.set_image('a', image())\n"
        "c.prepare(setup(), 'a').result(20)\n"
        f"t = c.propose({fault}, 'a', Prompt())\n{wait}\n{hold}"
        "print(c._link._process.pid, flush=True)\n"
        "c._link._process.stdin.close() if 'closed' in sys.argv[1] else None\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", front, how],
        cwd=ROOT,
        env=environment(bright_models),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        worker = int(process.stdout.readline())
        assert is_alive(worker) or "closed" in how
        if how != "stdin closed":
            process.kill()
        wait_until(lambda: not is_alive(worker), 15)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_broken_pipe_does_not_end_a_program_that_does_not_ignore_its_signal(bright_models):
    """3D Slicer embeds Python, which then need not ignore SIGPIPE."""
    program = (
        "import os, signal, time\nimport numpy as np\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "from DiffusionSegLib.nouns.image import Image\n"
        "from DiffusionSegLib.worker.client import WorkerClient\n"
        "from Testing.Library.worker.toys import *\n"
        "c = WorkerClient(COMMAND, dict(os.environ))\n"
        "c.describe().result(20)\n"
        "os.kill(c._link._process.pid, 19)\n"
        "t = c.set_image('a', Image.from_array(np.ones((64, 256, 256), np.int16)))\n"
        "time.sleep(0.2)\n"
        "os.kill(c._link._process.pid, 9)\n"
        "wait_until(lambda: t.is_finished, 10, c.poll)\n"
        "print(t.state)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(bright_models),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "failed\n"), done.stderr


def test_a_slow_line_blocks_nobody_and_tells_how_far_it_is(start):
    relay = (
        "import os, subprocess, sys, time\n"
        f"worker = subprocess.Popen({list(COMMAND)!r}, stdin=subprocess.PIPE, bufsize=0)\n"
        "while block := os.read(0, 1 << 16):\n"
        "    worker.stdin.write(block)\n"
        "    time.sleep(len(block) / 3e7)\n"
        "worker.stdin.close()\n"
        "worker.wait()\n"
    )
    client = start((sys.executable, "-c", relay))
    big = Image.from_array(np.ones((40, 512, 512), np.int16))
    begun_s = time.monotonic()
    client.set_image("big", big)
    ticket = client.propose(setup(), "big", Prompt())
    assert time.monotonic() - begun_s < 0.2
    reports = []
    ticket.when_progress(reports.append)
    ticket.result(30)
    stages = list(dict.fromkeys(report.stage for report in reports))
    assert stages[:3] == ["Starting the worker", "Sending the image", "Loading the model"]
    sent = [report.fraction for report in reports if report.stage == "Sending the image"]
    assert len(sent) >= 3
    assert sent == sorted(sent)
    assert 0 < sent[0] < 0.9


def test_no_room_for_an_image_is_a_sentence(start, bright_models):
    limited = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30));"
        "runpy.run_module('Testing.Library.worker.toy_worker', run_name='__main__')"
    )
    client = start((sys.executable, "-c", limited))
    huge = Image.from_array(np.zeros((1, 1, 1 << 15, 1 << 15), np.int8))
    with pytest.raises(OutOfMemoryError, match=r"not enough memory for the 1\.1 GB that were sent"):
        client.set_image("huge", huge).result(30)
    client.set_image("a", image())
    assert client.propose(setup(), "a", Prompt()).result(20) is not None
    assert client.restarts == 0


def test_a_worker_that_cannot_let_go_of_a_cancelled_job_is_replaced(start):
    client = start(patience_s=0.5)
    client.set_image("a", image())
    stuck = client.propose(setup(fault="hang", steps=1, pause=30.0), "a", Prompt())
    wait_until(lambda: stuck.progress and stuck.progress.stage == "Hanging", 20, client.poll)
    stuck.cancel()
    first = client.propose(setup(seed=1), "a", Prompt())
    assert first.result(20).provenance.seed == 1  # sent again, with the image
    assert client.restarts == 1


def test_patience_has_nothing_to_do_with_long_jobs(start):
    client = start(patience_s=0.3)
    client.set_image("a", image())
    slow = client.propose(setup(fault="hang", steps=1, pause=1.0), "a", Prompt())
    waiting = client.prepare(setup(), "a")
    assert slow.result(20) is not None
    assert waiting.result(20) is None
    assert client.restarts == 0


def test_the_front_end_never_imports_torch(bright_models):
    program = (
        "import sys\n"
        "from DiffusionSegLib.nouns.prompt import Prompt\n"
        "from DiffusionSegLib.worker import inprocess\n"
        "from DiffusionSegLib.worker.client import WorkerClient\n"
        "from Testing.Library.worker.toys import *\n"
        "c = WorkerClient(COMMAND, dict(os.environ))\n"
        "c.set_image('a', image())\n"
        "p = c.propose(setup(steps=3), 'a', Prompt()).result(20)\n"
        "p.mask(); p.uncertainty; c.describe().result(5); c.memory().result(5)\n"
        "c.close()\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(bright_models),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_client_left_open_keeps_no_program_from_ending(bright_models):
    program = (
        "from DiffusionSegLib.worker.client import WorkerClient\n"
        "from Testing.Library.worker.toys import *\n"
        "c = WorkerClient(COMMAND, dict(os.environ))\n"
        "c.describe().result(20)\n"
        "print(c._link._process.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(bright_models),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    wait_until(lambda: not is_alive(int(done.stdout)))


def test_the_command_line_starts_the_same_worker(bright_models):
    client = WorkerClient((sys.executable, "-m", "DiffusionSegLib.cli.main", "worker"))
    try:
        assert "cdal" in [method.name for method in client.describe().result(30).methods]
    finally:
        client.close()


def test_typed_by_hand_it_says_what_it_is_for():
    import pty

    main, other = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "DiffusionSegLib.cli.main", "worker"],
        stdin=other,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    os.close(main)
    os.close(other)
    assert done.returncode == 2
    assert "started by a front end" in done.stderr


def test_unusual_geometry_survives(start):
    client = start()
    turned = Geometry.from_ijk_to_ras(
        (3, 5, 4),
        [[0.1, 0.9, 0.2, 3.3], [1.1, 0, 0.1, -7], [0, 0.3, 2.1, 1e-3], [0, 0, 0, 1]],
    )
    array = np.arange(60, dtype=">f4").reshape(3, 5, 4)[::-1]
    client.set_image("odd", Image(array[None], turned, ("µ-CT",)))
    found = client.propose(setup(), "odd", Prompt()).result(20)
    assert found.geometry == turned
    assert np.array_equal(found.auxiliary["as it was"].array[0], array)
    assert found.auxiliary["as it was"].channel_names == ("µ-CT",)
