"""Numbers of clicks against a hand-computed table."""

import math

import pytest

from DiffusionSegLib.evaluation.click_counts import click_summary, clicks_needed, clicks_until
from DiffusionSegLib.evaluation.report import summarise
from DiffusionSegLib.evaluation.scores import CaseResult, ClickScore, LabelScore


def clicked(name, *ious, limit=4, rule="clicks: toy"):
    labels = (LabelScore("x", 0.25, 1 / 7, 1.0, 0.0, 1.0, 1.0),)
    clicks = tuple(
        ClickScore(n, (0.0, 0.0, 0.0), True, 2 * iou / (1 + iou), 0.1, iou, rule)
        for n, iou in enumerate(ious, 1)
    )
    return CaseResult(name, labels=labels, clicks=clicks, click_limit=limit)


@pytest.mark.parametrize(
    ("ious", "target", "expected"),
    [
        ((0.85,), 0.85, 1),
        ((0.1, 0.9, 0.2), 0.85, 2),  # the first time counts, whatever comes after
        ((0.1, 0.84), 0.85, None),
        ((), 0.85, None),
    ],
)
def test_the_first_click_that_reaches_the_target(ious, target, expected):
    assert clicks_until(ious, target) == expected


def test_who_never_gets_there_counts_with_the_limit_and_is_counted():
    results = [
        clicked("a", 0.5, 0.86, 0.95, 0.96),
        clicked("b", 0.91),  # exact after one click
        clicked("c", 0.1, 0.2, 0.3, 0.4),
        CaseResult("no object", click_limit=4),
    ]
    summary = click_summary(results)
    assert (summary["limit"], summary["cases"], summary["rules"]) == (4, 3, ["clicks: toy"])
    assert summary["noc85"] == pytest.approx((2 + 1 + 4) / 3)
    assert summary["noc90"] == pytest.approx((3 + 1 + 4) / 3)
    assert (summary["noc85_never"], summary["noc90_never"]) == (1, 1)
    assert clicks_needed(results[0].clicks) == {"noc85": 2, "noc90": 3}
    assert clicks_needed(results[2].clicks) == {"noc85": None, "noc90": None}


def test_dice_after_one_three_and_five_clicks_as_far_as_was_clicked():
    results = [clicked("a", 0.5, 0.6, 0.95, 0.96), clicked("b", 1.0)]
    after = click_summary(results)["dice_after"]
    assert list(after) == ["1", "3"]
    assert after["1"] == pytest.approx((1 / 1.5 + 1) / 2)
    assert after["3"] == pytest.approx((1.9 / 1.95 + 1) / 2)
    assert list(click_summary([clicked("a", 0.5, limit=20)])["dice_after"]) == ["1", "3", "5"]
    assert "clicks" not in summarise([CaseResult("a", labels=results[0].labels)])


def test_nobody_clicked():
    summary = click_summary([CaseResult("a")])
    assert math.isnan(summary["noc85"])
    assert (summary["cases"], summary["noc85_never"]) == (0, 0)
