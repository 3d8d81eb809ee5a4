import time

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.worker.job import Job

ESTIMATE = Image.from_array(np.full((2, 3, 4), 0.25, np.float32))


@pytest.fixture
def heard():
    return []


@pytest.fixture
def shown():
    return []


@pytest.fixture
def job(heard, shown):
    show = lambda number, preview: shown.append((number, preview))  # noqa: E731
    return Job(1, {"kind": "propose"}, (), None, heard.append, show)


def test_at_most_ten_reports_a_second_and_a_new_stage_at_once(job, heard):
    progress = job.progress()
    end_s = time.monotonic() + 1.05
    while time.monotonic() < end_s:
        progress.report(0.1, "a")
        time.sleep(0.001)
    assert 4 <= len(heard) <= 10
    before = len(heard)
    time.sleep(0.3)
    for stage in ("b", "c", "c", "d"):
        progress.report(0.2, stage)
    assert [report.stage for report in heard[before:]][:1] == ["b"]
    job2 = Job(2, {}, (), None, heard.append, None)
    heard.clear()
    for number in range(200):
        job2.progress().report(0.0, f"stage {number}")
    assert len(heard) == 10


def test_previews_are_made_only_when_asked_for_and_at_the_next_step(job, shown):
    made = []

    def make():
        made.append(1)
        return ESTIMATE

    progress = job.progress()
    progress.report(0.1, preview=make)
    assert (made, shown) == ([], [])
    job.ask_preview(7)
    assert shown == []
    progress.report(0.2)
    progress.report(0.2, preview=make)
    ((number, preview),) = shown
    assert (number, len(made)) == (7, 1)
    assert preview.probability.array.dtype == np.float16
    assert preview.probability.geometry == ESTIMATE.geometry
    progress.report(0.3, preview=make)
    assert len(made) == 1


def test_who_asks_too_late_is_told_so(job, shown):
    job.ask_preview(1)
    job.finish()
    job.ask_preview(2)
    assert shown == [(1, None), (2, None)]


def test_cancelled_and_enough_reach_the_work(job):
    progress = job.progress()
    assert not progress.enough
    job.enough.set()
    assert progress.enough
    progress.check()
    job.cancelled.set()
    with pytest.raises(Cancelled):
        progress.check()
