import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.progress import Progress, ProgressReport


def collect() -> tuple[list[ProgressReport], Progress]:
    reports: list[ProgressReport] = []
    return reports, Progress(reports.append)


def test_a_part_maps_to_its_interval() -> None:
    reports, progress = collect()
    part = progress.part(0.2, 0.6, "inner")
    part.report(0.5)
    part.part(0.5, 1.0).report(1.0)
    assert [report.fraction for report in reports] == pytest.approx([0.4, 0.6])
    assert {report.stage for report in reports} == {"inner"}


def test_track_reports_before_and_after_each_item() -> None:
    reports, progress = collect()
    assert list(progress.track("abcd", "letters")) == list("abcd")
    assert [report.fraction for report in reports] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert reports[0].stage == "letters"
    assert list(progress.track([])) == []


def test_cancellation_is_noticed_by_reports_checks_and_parts() -> None:
    asked = False
    progress = Progress(cancelled=lambda: asked)
    progress.report(0.1)
    progress.check()
    asked = True
    for act in (progress.check, lambda: progress.report(0.2), progress.part(0.5, 1.0).check):
        with pytest.raises(Cancelled):
            act()


def test_a_cancelled_report_does_not_reach_the_listener() -> None:
    reports: list[ProgressReport] = []
    with pytest.raises(Cancelled):
        Progress(reports.append, lambda: True).report(0.5)
    assert reports == []


def test_times_and_preview_are_passed_on() -> None:
    reports, progress = collect()
    picture = object()
    progress.report(0.0)
    progress.report(0.5, "half", picture)
    assert reports[0].remaining_s is None
    assert reports[1].remaining_s == pytest.approx(reports[1].elapsed_s)
    assert reports[1].preview is picture


def test_silent_progress_does_nothing() -> None:
    Progress.silent().part(0.0, 0.5).report(1.0, "x")


@pytest.mark.parametrize(("start", "end"), [(-0.1, 1.0), (0.6, 0.5), (0.0, 1.1)])
def test_a_part_outside_is_a_programming_error(start: float, end: float) -> None:
    with pytest.raises(ValueError, match="part needs"):
        Progress().part(start, end)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-2, 2)), max_size=20))
def test_the_bar_never_runs_backwards_or_out(steps: list[tuple[float, float, float]]) -> None:
    reports, progress = collect()
    for first, second, fraction in steps:
        progress.part(min(first, second), max(first, second)).report(fraction)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert all(0.0 <= fraction <= 1.0 for fraction in fractions)


def test_enough_is_asked_anew_each_time_and_by_every_part() -> None:
    answers = [False, True, True]
    progress = Progress(accept=lambda: answers.pop(0))
    part = progress.part(0.2, 0.4).part(0.0, 0.5)
    assert (part.enough, part.enough, progress.enough) == (False, True, True)
    assert not Progress.silent().enough
