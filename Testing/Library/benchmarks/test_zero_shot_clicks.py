"""The zero-shot benchmark: the simulated user, the numbers, the command."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from DiffusionSegLib.nouns.prompt import Point, Prompt
from Testing.Benchmarks.zero_shot.baselines import BASELINES
from Testing.Benchmarks.zero_shot.cases import SAMPLE_SETS, ZeroShotCase
from Testing.Benchmarks.zero_shot.clicking import Clicked, click_case
from Testing.Benchmarks.zero_shot.outliner import SessionOutliner
from Testing.Benchmarks.zero_shot.report import Found, Report
from Testing.Benchmarks.zero_shot.tuning import GRIDS, tuned
from Testing.Benchmarks.zero_shot_clicks import main
from Testing.Library.toy_model import smooth_image, toy_session


class Strips:
    """Outlines as many columns as there were clicks, whatever the image."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.heard: list[tuple[Click, ...]] = []

    def set_image(self, image: Image) -> None:
        self.shape = image.array.shape[1:]

    def outline(self, clicks: Sequence[Click]) -> np.ndarray:
        self.heard.append(tuple(clicks))
        found = np.zeros(self.shape, bool)
        found[:, :, : self.width * len(clicks)] = True
        return found


def a_case(columns: int = 12) -> ZeroShotCase:
    truth = np.zeros((1, 8, 20), bool)
    truth[:, :, :columns] = True
    image = Image(np.zeros((1, 1, 8, 20), np.uint8), Geometry((1, 8, 20)))
    return ZeroShotCase("a", image, truth, "a")


def test_dice_after_each_click_and_when_the_user_stops() -> None:
    strips = Strips(width=2)
    clicked = click_case(strips, a_case(12))
    assert np.allclose(clicked.dice, [2 * 2 * n / (2 * n + 12) for n in (1, 2, 3, 4, 5)])
    assert clicked.needed(0.8) == 4 and clicked.needed(0.9) == 5
    assert [len(clicks) for clicks in strips.heard] == [1, 2, 3, 4, 5]
    # The first click is the object's middle, the next one that of what is still missed.
    first, second = strips.heard[1]
    assert first.include and first.position_kji[2] in (3, 4, 5, 6, 7, 8)
    assert second.include and second.position_kji[2] > first.position_kji[2] - 4


def test_who_never_gets_there_clicks_ten_times() -> None:
    clicked = click_case(Strips(width=1), a_case(20))
    assert len(clicked.dice) == 10 and clicked.needed(0.9) is None


def test_an_exact_outline_needs_no_more_clicks_and_keeps_its_dice() -> None:
    strips = Strips(width=12)
    clicked = click_case(strips, a_case(12))
    assert clicked.dice == (1.0,) * 5 and len(clicked.seconds) == len(strips.heard) == 1


def found(name: str, role: str, *dice: Sequence[float]) -> Found:
    clicked = [Clicked(str(n), tuple(row), (0.1,) * 5, 0.5) for n, row in enumerate(dice)]
    return Found("skin", name, tuple(clicked), role)


def a_report() -> Report:
    ours = found("ours", "method", (0.7, 0.8, 0.9, 0.9, 0.95), (0.5, 0.6, 0.7, 0.7, 0.7))
    one = found("one", "rival", (0.5, 0.5, 0.9, 0.9, 0.9), (0.5, 0.5, 0.9, 0.9, 0.9))
    two = found("two", "rival", (0.6, 0.6, 0.6, 0.6, 0.6), (0.6, 0.6, 0.6, 0.6, 0.6))
    floor = found("floor", "floor", (1.0,) * 5, (1.0,) * 5)
    return Report({"part": "test"}, [ours, one, two, floor])


def test_the_table_is_what_one_computes_by_hand() -> None:
    first, one, _, _ = a_report().table().rows
    assert [round(first[f"Dice @{n}"].mean, 3) for n in (1, 3, 5)] == [0.6, 0.8, 0.825]
    assert first["clicks to 0.80"] == (2 + 10) / 2 and first["never 0.80"] == 1
    assert first["clicks to 0.90"] == (3 + 10) / 2 and first["never 0.90"] == 1
    assert one["clicks to 0.90"] == 3 and one["never 0.90"] == 0
    assert first["s/click"] == pytest.approx(0.1) and first["s/image"] == 0.5
    (lead,) = a_report().lead().rows
    assert lead["best @1"] == "0.600 two" and lead["ahead @1"] == "+0.000"
    assert lead["best @3"] == "0.900 one" and lead["ahead @3"] == "-0.100"
    assert "| skin | ours" in a_report().text() and "0.900 one" in a_report().text()


def test_the_json_holds_every_case(tmp_path: Path) -> None:
    a_report().write(tmp_path / "t.json")
    content = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert len(content["rows"]) == 4 and len(content["lead"]) == 1
    assert content["cases"][0]["dice"] == [0.7, 0.8, 0.9, 0.9, 0.95]
    assert [case["algorithm"] for case in content["cases"]] == [
        name for name in ("ours", "one", "two", "floor") for _ in range(2)
    ]


def test_a_method_gets_the_clicks_as_points_where_they_were_made(tmp_path: Path) -> None:
    geometry = Geometry((1, 16, 16), (2.0, 1.0, 1.0))
    image = smooth_image(geometry, RGB_NAMES)
    image = Image((image.array / 8).astype(np.uint8), geometry, RGB_NAMES)
    clicks = [Click((0, 4, 9), True), Click((0, 12, 2), False)]
    outliner = SessionOutliner(toy_session(tmp_path, "color"))
    outliner.set_image(image)
    session = toy_session(tmp_path, "color")
    session.set_image(image)
    places = geometry.kji_to_ras(np.array([click.position_kji for click in clicks], float))
    points = (Point(tuple(places[0]), True), Point(tuple(places[1]), False))
    expected = session.propose(Prompt(points=points)).mask().array != 0
    answer = outliner.outline(clicks)
    assert np.array_equal(answer, expected) and answer[0, 4, 9] and not answer[0, 12, 2]


def test_a_method_without_clicks_is_refused(tmp_path: Path) -> None:
    session = toy_session(tmp_path, "color")
    session.description = replace(session.description, prompts=frozenset({"text"}))
    with pytest.raises(InputError, match="takes no clicks"):
        SessionOutliner(session)


def test_the_command_compares_a_method_with_the_baselines_on_the_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--methods", "cdal/skin-lesion", *BASELINES, "--parameter", "tolerance=1"]
    words += ["--sets", "skin-lesion", "--limit", "1", "--device", "cpu"]
    assert main([*words, "--json", str(tmp_path / "t.json")]) == 0
    content = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert [row["algorithm"] for row in content["rows"]] == ["cdal/skin-lesion", *BASELINES]
    assert all(row["cases"] == 1 for row in content["rows"])
    # It was trained for this, so it must be ahead; the disc is no rival.
    (lead,) = content["lead"]
    assert lead["method"] == "cdal/skin-lesion" and float(lead["ahead @1"]) > 0
    told = capsys.readouterr()
    assert "bundled samples" in told.out and "skin-lesion, grabcut: 1 cases" in told.err


def test_every_bundled_set_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--methods", "disc", "growcut", "--limit", "1", "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in SAMPLE_SETS)


@pytest.mark.parametrize(
    "words, said",
    [
        (["--methods", "grabbcut"], "grabcut"),
        (["--methods", "disc", "--sets", "skin"], "skin-lesion"),
        (["--methods", "cdal/skin-lesion", "--parameter", "tolerence=1"], "tolerance"),
        (["--methods", "disc", "--data", "nowhere", "--sets", "wbc-cell"], "restricted/"),
        (["--methods", "disc", "--part", "train", "--sets", "hippocampus"], "--part"),
    ],
)
def test_wrong_words_are_one_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_tuning_keeps_the_best_value() -> None:
    down, across = np.indices((60, 60))
    truth = (np.hypot(down - 30, across - 30) <= 0.05 * np.hypot(60, 60))[np.newaxis]
    image = Image(np.zeros((1, 1, 60, 60), np.uint8), Geometry((1, 60, 60)))
    rows = tuned("disc", {"made up": [ZeroShotCase("a", image, truth, "a")]}, passes=1)
    assert [row["value"] for row in rows] == list(GRIDS["disc"]["reach"])
    (kept,) = (row for row in rows if row["kept"])
    assert kept["value"] == 0.05 and kept["mean"] > 0.98
    assert metrics.dice(truth, truth) == 1.0


def test_defaults_are_among_the_values_that_were_tried() -> None:
    for name, grid in GRIDS.items():
        for parameter, values in grid.items():
            value: object = BASELINES[name]()
            for part in parameter.split("."):
                value = getattr(value, part)
            assert value in values, (name, parameter)
