"""From results to the sheet, the table and the files."""

import io
import json
import math

import numpy as np
import pytest
from PIL import Image as Pillow

from DiffusionSegLib.evaluation.calibration import calibration_of
from DiffusionSegLib.evaluation.label_pairs import label_pairs
from DiffusionSegLib.evaluation.picture import PREDICTION_COLOR, TRUTH_COLOR
from DiffusionSegLib.evaluation.report import summarise, to_csv, to_plain
from DiffusionSegLib.evaluation.scores import CaseResult, ClickScore, LabelScore, NegativeResult
from DiffusionSegLib.evaluation.sheet import PICTURE_SIZE, case_picture, compose_sheet
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.mask import Mask


def score(dice, name="lesion", hd95=2.0, error=-10.0):
    return LabelScore(name, dice, dice / (2 - dice), hd95, error, 10.0, 9.0)


def result(case, *dices, **more):
    calibration = calibration_of(np.array([0.9, 0.1]), np.array([True, False]))
    labels = tuple(score(dice, f"part {number}") for number, dice in enumerate(dices))
    return CaseResult(case, (), labels, calibration, 2.0, "FOUND", 0.9, **more)


def solid(color):
    buffer = io.BytesIO()
    Pillow.new("RGB", (PICTURE_SIZE, PICTURE_SIZE), color).save(buffer, format="PNG")
    return buffer.getvalue()


def test_means_per_label_and_over_labels_and_failures_do_not_count():
    results = [result("a", 0.8, 0.6), result("b", 1.0, 0.4), CaseResult("c", error="broken")]
    summary = summarise(results)
    assert (summary["cases"], summary["failed"]) == (3, 1)
    assert summary["labels"]["part 0"]["dice"] == pytest.approx(0.9)
    assert summary["labels"]["part 1"]["dice"] == pytest.approx(0.5)
    assert summary["dice"] == pytest.approx(0.7)
    assert summary["dice_standard_deviation"] == pytest.approx(0.0)
    assert summary["volume_error_percent"] == pytest.approx(10.0)
    assert summary["ece"] == pytest.approx(0.1)
    assert summary["verdicts"] == {"FOUND": 2, "UNCERTAIN": 0, "NOT_FOUND": 0}


def test_an_undefined_distance_is_left_out_and_counted():
    broken = CaseResult("b", labels=(score(0.0, hd95=math.nan),))
    summary = summarise([CaseResult("a", labels=(score(0.5, hd95=4.0),)), broken])
    assert summary["hd95_mm"] == 4.0
    assert summary["hd95_undefined"] == 1
    assert summary["dice"] == 0.25


def test_who_needs_no_more_clicks_keeps_his_dice():
    click = [ClickScore(n, (0.0, 0.0, 0.0), True, dice, 0.1) for n, dice in ((1, 0.8), (2, 1.0))]
    summary = summarise(
        [result("a", 0.5, clicks=tuple(click)), result("b", 0.7, clicks=(click[0],))]
    )
    assert summary["dice_after_clicks"] == pytest.approx([0.6, 0.8, 0.9])


def test_false_alarms():
    negatives = [
        NegativeResult("a", 1.0, "FOUND", 0.9),
        NegativeResult("b", 1.0, "NOT_FOUND", 0.1),
        NegativeResult("c", 1.0, "UNCERTAIN", 0.5),
        NegativeResult("d", 1.0, "NOT_FOUND", 0.0),
        NegativeResult("e", error="broken"),
    ]
    alarms = summarise([result("x", 1.0)], negatives)["negatives"]
    assert alarms["false_alarm_rate"] == 0.25
    assert alarms["uncertain_rate"] == 0.25
    assert (alarms["images"], alarms["failed"]) == (5, 1)


def test_json_has_no_nan_and_csv_a_row_per_label():
    results = [
        CaseResult("a", ("ct",), (score(0.5, hd95=math.nan), score(1.0, "rim"))),
        CaseResult("b", error="cannot be read, sorry"),
    ]
    text = json.dumps(to_plain(results, [], {"seed": 0}), allow_nan=False)
    plain = json.loads(text)
    assert plain["cases"][0]["labels"][0]["hd95_mm"] is None
    assert plain["cases"][1] == {"case": "b", "error": "cannot be read, sorry"}
    rows = to_csv(results).splitlines()
    assert len(rows) == 4
    assert rows[1].startswith("a,ct,lesion,0.5,")
    assert len({row.count(",") for row in rows[:3]}) == 1
    assert rows[3].endswith('"cannot be read, sorry"')


def test_the_sheet_shows_best_median_and_worst():
    colors = {"worst": (200, 0, 0), "median": (0, 200, 0), "best": (0, 0, 200), "other": (9, 9, 9)}
    dices = {"worst": 0.1, "median": 0.6, "best": 0.9, "other": 0.2}
    results = [result(name, dices[name], picture=solid(colors[name])) for name in colors]
    results.append(CaseResult("failed", error="broken"))
    sheet = compose_sheet(results)
    middles = [
        sheet.getpixel((10 + PICTURE_SIZE // 2 + n * (PICTURE_SIZE + 10), 250)) for n in range(3)
    ]
    assert middles == [colors["best"], colors["median"], colors["worst"]]


def test_a_sheet_of_nothing_is_still_a_picture():
    assert compose_sheet([CaseResult("a", error="broken")]).width > 0


@pytest.mark.parametrize("rgb", [True, False])
def test_a_case_picture_shows_both_outlines(rgb):
    array = np.full((3 if rgb else 1, 1, 60, 80), 120, dtype=np.uint8)
    image = Image(array, Geometry((1, 60, 80)), ("red", "green", "blue") if rgb else ("x",))
    outline = np.zeros((1, 60, 80), np.uint8)
    outline[0, 10:40, 10:40] = 1
    shifted = np.roll(outline, 20, axis=2)
    labels = (label_for(1, "lesion"),)
    masks = [Mask(values, image.geometry, labels) for values in (shifted, outline)]
    drawn = np.asarray(Pillow.open(io.BytesIO(case_picture(image, *masks, label_pairs(labels)))))
    for color, inside in ((TRUTH_COLOR, 10), (PREDICTION_COLOR, 30)):
        column = int(inside * PICTURE_SIZE / 80)
        near = drawn[130, column - 3 : column + 4].astype(int)
        assert np.abs(near - np.array(color)).sum(axis=1).min() < 60
