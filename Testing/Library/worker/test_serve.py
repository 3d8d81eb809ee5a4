"""The worker process as any front end sees it: frames, without our client."""

import io
import subprocess
import sys
import time

import pytest

from DiffusionSegLib.worker.frames import Frame, FrameReader, FrameWriter
from DiffusionSegLib.worker.packing import pack_image, pack_prompt
from DiffusionSegLib.worker.protocol import PROTOCOL
from DiffusionSegLib.worker.requests import job_header
from Testing.Library.worker.toys import COMMAND, environment, image, setup
from Testing.Project.source import ROOT


class Worker:
    def __init__(self, models):
        self.process = subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            env=environment(models),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert isinstance(self.process.stdin, io.FileIO)
        self.writer, self.reader = FrameWriter(self.process.stdin), FrameReader(self.process.stdout)

    def send(self, number, kind, arrays=(), **fields):
        self.writer.write(Frame({**fields, "kind": kind, "id": number}, tuple(arrays)))

    def until(self, kind, number):
        """The frames up to that one."""
        seen = []
        while True:
            frame = self.reader.read()
            assert frame is not None, (kind, number, seen)
            seen.append(frame.header)
            if (frame.header["kind"], frame.header.get("id")) == (kind, number):
                return seen

    def set_image(self):
        arrays = []
        self.send(1, "set_image", arrays, key="a", image=pack_image(image(), arrays))
        self.until("answer", 1)

    def propose(self, number, wanted, region=None):
        arrays = []
        header = job_header("propose", wanted, "a", region)
        header["prompt"] = {**pack_prompt(_nothing(), arrays)}
        self.send(number, header.pop("kind"), arrays, **header)


def _nothing():
    from DiffusionSegLib.nouns.prompt import Prompt

    return Prompt()


@pytest.fixture
def worker(bright_models):
    worker = Worker(bright_models)
    greeting = worker.reader.read().header
    assert greeting["kind"] == "greeting"
    assert greeting["protocol"] == PROTOCOL
    assert greeting["executable"] == sys.executable
    yield worker
    worker.process.kill()
    worker.process.wait()
    for stream in (worker.process.stdin, worker.process.stdout, worker.process.stderr):
        stream.close()


def test_cancelling_is_acknowledged_within_a_second_while_a_job_notices_nothing(worker):
    worker.set_image()
    worker.propose(2, setup(fault="hang", steps=1, pause=1.5))
    while worker.until("progress", 2)[-1]["stage"] != "Hanging":
        pass
    begun_s = time.monotonic()
    worker.send(3, "cancel", of=2)
    worker.until("cancelled", 2)
    assert time.monotonic() - begun_s < 0.5
    worker.send(4, "memory")
    worker.until("answer", 4)
    assert time.monotonic() - begun_s < 1.0
    seen = worker.until("ended", 2)
    assert time.monotonic() - begun_s > 1.0
    assert not [header for header in seen if header["kind"] == "answer"]


def test_the_latest_outline_wins_and_each_request_gets_one_end(worker):
    worker.set_image()
    worker.propose(10, setup(1, steps=1000, pause=0.01))
    worker.until("progress", 10)
    for number in (11, 12, 13):
        worker.propose(number, setup(number))
    seen = worker.until("answer", 13)
    assert seen[-1]["value"]["provenance"]["seed"] == 13
    ends = [(h["kind"], h["id"]) for h in seen if h["kind"] != "progress"]
    assert sorted(ends[:-1]) == sorted(
        (kind, number) for kind in ("cancelled", "ended") for number in (10, 11, 12)
    )


@pytest.mark.parametrize("how", ["shutdown", "end of input"])
def test_it_ends_when_told_or_when_nobody_is_there(worker, how):
    worker.set_image()
    worker.propose(2, setup(steps=1000, pause=0.01))
    worker.until("progress", 2)
    if how == "shutdown":
        worker.send(3, "shutdown")
    else:
        worker.process.stdin.close()
    assert worker.process.wait(8) == 0


def test_garbage_ends_it_with_a_sentence(worker):
    worker.process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
    seen = worker.until("broken", None)
    assert seen[-1]["sentence"].startswith("Instead of a frame came 'GET / HTTP")
    assert worker.process.wait(8) == 1
    assert b"Instead of a frame" in worker.process.stderr.read()


def test_it_ends_when_nobody_listens_any_more(worker):
    worker.set_image()
    worker.process.stdout.close()
    worker.send(5, "memory")
    assert worker.process.wait(8) == 0
