"""The cases and the tables of the benchmark of tumors that training left out."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.splits import split_cases
from Testing.Benchmarks import pseudo_healthy_pictures as pictures
from Testing.Benchmarks.unseen.asking import OWN, PARTS, STROKE, WHOLE, open_fold
from Testing.Benchmarks.unseen.report import Alarm, Report, Scored, mean_over_types
from Testing.Benchmarks.unseen.types import HEALTHY, TYPES, chaos_slices, cut_cases, held_out_names
from Testing.Benchmarks.unseen_tumors import main
from Testing.Benchmarks.zero_shot.cases import load_cases
from Testing.Library.benchmarks.test_zero_shot_cases import a_label, add_picture
from Testing.Library.methods.diffugts.toys import toy_card, toy_networks, write_card


@pytest.fixture
def lungs(tmp_path: Path) -> Path:
    """Ten patients with two slices each."""
    for patient in range(10):
        for number in (3, 4):
            label = a_label(1)
            add_picture(tmp_path / "open" / "msd_lung_slices", f"100{patient}_{number}", label)
    return tmp_path


def test_the_test_part_is_that_of_the_training(lungs: Path) -> None:
    patients = split_cases(f"100{patient}" for patient in range(10))["test"]
    expected = {f"{patient}_{number}" for patient in patients for number in (3, 4)}
    assert held_out_names(TYPES["lung"], lungs) == expected
    cases = list(cut_cases(TYPES["lung"], lungs))
    assert len(cases) == 20
    assert {one.case.name for one in cases if one.in_test} == expected


def test_every_case_is_cut_at_random_and_alike_each_time(lungs: Path) -> None:
    whole = {case.name: case for case in load_cases("lung-tumor", lungs, "all")}
    shapes, middles = set(), []
    for one, again in zip(*(cut_cases(TYPES["lung"], lungs) for _ in range(2)), strict=True):
        before = whole[one.case.name]
        assert one.case.truth.sum() >= before.truth.sum() / 2
        for cut, full in zip(one.case.truth.shape[1:], before.truth.shape[1:], strict=True):
            assert 0.55 * full < cut < 0.95 * full
        assert np.array_equal(one.case.image.array, again.case.image.array)
        # The same pixels at the same places.
        k, j, i = np.argwhere(one.case.truth)[0]
        ras = one.case.image.geometry.kji_to_ras([[k, j, i]])
        place = tuple(before.image.geometry.ras_to_kji(ras).round().astype(int)[0])
        assert before.truth[place]
        assert before.image.array[(0, *place)] == one.case.image.array[0, k, j, i]
        shapes.add(one.case.truth.shape)
        size = one.case.truth.shape[1:]
        middles.append(np.argwhere(one.case.truth[0]).mean(axis=0) / size)
    assert len(shapes) > 10
    assert np.std(middles, axis=0).min() > 0.05


def test_a_volume_is_cut_once() -> None:
    for kind in ("sarcoma-ct", "sarcoma-mr"):
        for one, case in zip(cut_cases(TYPES[kind], None), load_cases(kind, None), strict=True):
            assert np.array_equal(one.case.image.array, case.image.array)
            assert one.in_test


def test_every_type_and_every_healthy_picture_is_known_to_the_training() -> None:
    from DiffusionSegLib.training.diffugts.sources import load_lesion_sources

    sources = {source.kind: source for source in load_lesion_sources()}
    for asked in TYPES.values():
        assert {sources[kind].tumor for kind in asked.kinds} == {asked.fold}
    for asked in HEALTHY.values():
        assert all(not sources[kind].tumor for kind in asked.kinds)


def test_a_healthy_abdomen_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="chaos_ct_sample"):
        chaos_slices(tmp_path)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FOLD/model"):
        open_fold(tmp_path, "brain", "cpu", 0)


def test_a_model_that_was_shown_the_type_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "brain" / "model"
    folder.mkdir(parents=True)
    for left, named in (("lung", "without lung"), ("", "without nothing")):
        (folder / "model.json").write_text(json.dumps({"training": {"left_out": left}}))
        with pytest.raises(InputError, match=named):
            open_fold(tmp_path, "brain", "cpu", 0)


def scored(kind: str, case: str, algorithm: str, dice: float, **more: object) -> Scored:
    given = {"in_test": True, "state": "", **more}
    return Scored(kind, case, algorithm=algorithm, dice=dice, **given)  # type: ignore[arg-type]


def a_report(whole_types: bool = True) -> Report:
    found = Report("Left out", {"seed": 0}, whole_types)
    shade = "4-class Otsu, class"
    found.scored = [
        scored("brain", "a", PARTS["map"], 0.2, state="FOUND"),
        scored("brain", "b", PARTS["map"], 0.0, state="NOT_FOUND", in_test=False),
        scored("brain", "c", PARTS["map"], 0.7, state="UNCERTAIN", in_test=False),
        scored("lung", "d", PARTS["map"], 0.5, state="FOUND"),
        scored("brain", "a", WHOLE, 0.9, state="FOUND"),
        scored("lung", "d", WHOLE, 0.5, state="FOUND"),
        scored("brain", "a", f"{shade} 1", 0.1),
        scored("lung", "d", f"{shade} 1", 0.8),
        scored("brain", "a", f"{shade} 2", 0.6),
        scored("lung", "d", f"{shade} 2", 0.2),
        scored("brain", "a", "Otsu", 0.3),
        scored("lung", "d", "Otsu", 0.5),
        scored("lung", "d", STROKE, 0.95, state="FOUND"),
    ]
    return found


def test_each_type_counts_the_same() -> None:
    assert mean_over_types(PARTS["map"], a_report().scored) == pytest.approx((0.3 + 0.5) / 2)


def test_rows_are_parts_of_the_method_a_stroke_and_the_best_of_each_family() -> None:
    whole, tested, ahead = a_report().tables()
    assert [row["outline"] for row in whole.rows] == [
        "attention map", "+ feature residual", "one stroke", "4-class Otsu, class 1", "Otsu"
    ]  # fmt: skip
    first = whole.rows[0]
    assert first["brain"] == "0.300 (0.200)"
    assert first["lung"] == "0.500 (0.500)"
    assert first["mean over types"] == "0.400 (0.350)"
    assert first["not found"] == "1 of 4"
    assert whole.rows[-1]["not found"] is None
    assert whole.conditions["cases"] == "brain 3, lung 1"
    assert tested.rows[0]["brain"] == "0.200 (0.200)"
    assert tested.conditions["cases"] == "brain 1, lung 1"
    (row,) = ahead.rows
    assert row["mean over types"] == pytest.approx(0.7)
    assert row["best baseline"] == "4-class Otsu, class 1 0.450"
    assert row["ahead"] == "+0.250"


def test_of_types_that_training_showed_only_the_test_part_is_told() -> None:
    tested, ahead = a_report(whole_types=False).tables()
    assert "test part" in tested.title and "against" in ahead.title


def test_alarms_are_what_is_not_said_to_be_absent(tmp_path: Path) -> None:
    report = Report("Left out", {})
    states = ("NOT_FOUND", "UNCERTAIN", "FOUND", "NOT_FOUND")
    report.alarms = [
        Alarm("pancreas", str(number), "brain", state, number / 10)
        for number, state in enumerate(states)
    ]
    (table,) = report.tables()
    (row,) = table.rows
    assert (row["count"], row["alarm"], row["FOUND"]) == (4, 0.5, 0.25)
    assert row["mean score"] == pytest.approx(0.15)
    report.alarms.append(Alarm("CHAOS (trained on)", "x", "brain", "FOUND", 0.9))
    (table,) = report.tables()
    assert [row["count"] for row in table.rows] == [4, 1, 4]
    assert table.rows[-1]["alarm"] == 0.5
    report.alarms.pop()
    report.write(tmp_path / "new" / "t.json")
    written = json.loads((tmp_path / "new" / "t.json").read_text())
    assert [one["state"] for one in written["healthy"]] == list(states)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """RUNS/sarcoma/model: small networks that say they never saw a sarcoma."""
    card = toy_card("trained")
    card["training"] = {"left_out": "sarcoma"}
    write_card(tmp_path, card, toy_networks())
    (tmp_path / "runs" / "sarcoma").mkdir(parents=True)
    (tmp_path / "diffugts" / "trained").rename(tmp_path / "runs" / "sarcoma" / "model")
    return tmp_path / "runs"


def test_the_command_on_bundled_samples(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--models", str(runs), "--types", "sarcoma-mr", "--limit", "1", "--strokes", "1"]
    found = []
    for name in ("a.json", "b.json"):
        assert main([*words, "--json", str(tmp_path / name)]) == 0
        found.append(json.loads((tmp_path / name).read_text()))
    assert found[0] == found[1], "the same seed gives the same numbers"
    cases = {one["algorithm"]: one for one in found[0]["cases"]}
    assert set(OWN) <= set(cases)
    assert {"Otsu", "whole body", "VAE residual", "4-class Otsu, class 4"} <= set(cases)
    for one in cases.values():
        assert 0 <= one["dice"] <= 1 and one["in_test"]
        assert bool(one["state"]) == (one["algorithm"] in OWN)
        if one["state"] == "NOT_FOUND" and "aside" not in one["algorithm"]:
            assert one["dice"] == 0
    told = capsys.readouterr().out
    assert "mean Dice (median)" in told and "one stroke" in told and "sarcoma-mr 1" in told


def test_which_models_are_asked_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--types", "sarcoma-mr"]) == 2
    assert main(["--bundled", "--models", "x"]) == 2
    assert capsys.readouterr().err.count("--models RUNS or --bundled") == 2


def test_a_row_of_pictures(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = open_fold(runs, "sarcoma", "cpu", 0)
    monkeypatch.setattr(pictures, "open_bundled", lambda *_: session)
    words = ["-o", str(tmp_path), "--cases", "stroke-ct", "--device", "cpu"]
    assert pictures.main(words) == 0
    told = capsys.readouterr().out
    assert "Dice 0." in told and "pseudo-healthy-stroke-ct.png" in told
    with Picture.open(tmp_path / "pseudo-healthy-stroke-ct.png") as row:
        # The image, its map, the outline at least, each as large as the image is drawn.
        assert row.height == 330 or row.width > 3 * 300
        assert row.width > 2.5 * row.height
