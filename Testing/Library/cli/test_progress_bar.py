import io
import re

import pytest

from DiffusionSegLib.cli import progress_bar as module
from DiffusionSegLib.cli.progress_bar import progress_bar, remaining_text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_quiet_says_nothing():
    stream = Terminal()
    with progress_bar(quiet=True, stream=stream) as progress:
        progress.report(0.5, "working")
    assert stream.getvalue() == ""


def test_a_log_gets_a_line_only_every_few_seconds(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    stream = io.StringIO()
    with progress_bar(stream=stream) as progress:
        for step in range(1, 101):
            clock[0] += 0.2
            progress.report(step / 100, "denoising")
    lines = stream.getvalue().splitlines()
    assert 3 <= len(lines) <= 4
    assert re.fullmatch(r" 25 %  denoising  15 s left", lines[0])


def test_a_line_for_every_stage_where_a_program_listens():
    stream = io.StringIO()
    with progress_bar(stream=stream, every_stage=True) as progress:
        for fraction, stage in ((0.0, "Versions"), (0.1, "Versions"), (0.2, "Worker"), (1, "Done")):
            progress.report(fraction, stage)
    told = [line.strip().split("  ")[:2] for line in stream.getvalue().splitlines()]
    assert told == [["0 %", "Versions"], ["20 %", "Worker"], ["100 %", "Done"]]


def test_a_terminal_gets_a_bar_that_goes_away():
    stream = Terminal()
    with progress_bar(stream=stream) as progress:
        progress.report(0.3, "step [1/3]")
        progress.report(1.0)
    assert "step [1/3]" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, ""), (12.4, "12 s left"), (180, "3 min left"), (7500, "2 h 5 min left")],
)
def test_remaining(seconds, text):
    assert remaining_text(seconds) == text
