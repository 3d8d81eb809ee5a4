"""Work on a thread of its own: what is delivered, and what no longer is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from DiffusionSegLib.errors import InputError


def delivered(background: Any, condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        background.poll()


def test_a_value_arrives_in_a_poll_on_the_thread_that_polls(scene: Any) -> None:
    from DiffusionSegPanel.background import Background

    background, ends, threads = Background(), [], []

    def work(progress: Any) -> int:
        threads.append(threading.current_thread())
        progress.report(0.5, "Half")
        return 7

    def ended(outcome: Any) -> None:
        threads.append(threading.current_thread())
        ends.append(outcome)

    said: list[str] = []
    background.progressed.connect(lambda report: said.append(report.stage))
    background.start(work, ended)
    background._run.thread.join()
    assert ends == []
    delivered(background, lambda: ends)
    assert (ends[0].value, ends[0].error, ends[0].isCancelled) == (7, None, False)
    assert said == ["Half"]
    assert threads[0] is not threads[1] is threading.main_thread()
    assert not background.isRunning


def test_every_error_is_a_sentence(scene: Any) -> None:
    from DiffusionSegPanel.background import Background

    background, ends = Background(), []

    def expected(_progress: Any) -> None:
        raise InputError("The disk is full.")

    def mistake(_progress: Any) -> None:
        raise ZeroDivisionError("by zero")

    for work in (expected, mistake):
        background.start(work, ends.append)
        delivered(background, lambda: not background.isRunning)
    assert str(ends[0].error) == "The disk is full."
    assert "ZeroDivisionError: by zero" in str(ends[1].error)


def waiting(progress: Any) -> None:
    while True:
        progress.check()
        time.sleep(0.001)


def test_cancelling_is_delivered_dropping_is_not(scene: Any) -> None:
    from DiffusionSegPanel.background import Background

    background, ends = Background(), []
    background.start(waiting, ends.append)
    background.cancel()
    delivered(background, lambda: ends)
    assert ends[0].isCancelled
    background.start(waiting, ends.append)
    background.start(lambda _progress: "second", ends.append)
    delivered(background, lambda: len(ends) > 1)
    assert ends[1].value == "second", "the end of what was replaced is not delivered"
    background.start(waiting, ends.append)
    background.close()
    background.poll()
    assert len(ends) == 2
    names = [thread.name for thread in threading.enumerate()]
    assert "DiffusionSeg set-up" not in names
    background.close()


def test_new_work_may_begin_where_the_old_one_ends(scene: Any) -> None:
    from DiffusionSegPanel.background import Background

    background, ends = Background(), []

    def again(outcome: Any) -> None:
        ends.append(outcome.value)
        if len(ends) < 3:
            background.start(lambda _progress: len(ends), again)

    background.start(lambda _progress: 0, again)
    delivered(background, lambda: len(ends) == 3)
    assert ends == [0, 1, 2]
    assert not background.isRunning


def test_news_that_comes_while_older_news_is_taken_is_not_lost(scene: Any) -> None:
    """What a thread tells is written by that thread only."""
    from DiffusionSegLib.progress import ProgressReport
    from DiffusionSegPanel.background import Background, Outcome

    class Run:
        """Tells more whenever it was just looked at."""

        delivered: Any = None
        outcome: Outcome | None = None

        def __init__(self) -> None:
            self.thread = threading.Thread(target=str)
            self.thread.start()
            self._now = ProgressReport(0.1, "First", 0.1, None)
            self._next = ProgressReport(0.2, "Second", 0.2, None)

        @property
        def report(self) -> ProgressReport:
            was, self._now = self._now, self._next
            return was

        @report.setter
        def report(self, value: Any) -> None:
            self._now = value

    background, said = Background(), []
    background.progressed.connect(lambda report: said.append(report.stage))
    background._run = Run()  # type: ignore[assignment]
    for _ in range(3):
        background.poll()
    assert said == ["First", "Second"]
