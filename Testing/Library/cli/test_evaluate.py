"""`diffusionseg evaluate` with a small real method over small real files."""

import csv
import json
import math

import numpy as np
import pytest
from PIL import Image as Pillow

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from Testing.Library.cli.fixtures import GEOMETRY, SPOT, bright_volume, spot_mask

pytestmark = pytest.mark.usefixtures("smoothing")
MOVED = (SPOT[0], SPOT[1], slice(SPOT[2].start + 4, SPOT[2].stop + 4))


@pytest.fixture
def folders(tmp_path):
    """Cases a (right), b (the truth lies elsewhere), c (right)."""
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    for name, place in (("a", SPOT), ("b", MOVED), ("c", SPOT)):
        bright_volume().write(images / f"{name}.nii.gz")
        spot_mask(place).write(labels / f"{name}.nii.gz")
    return images, labels


def evaluate(folders, *words):
    images, labels = folders
    return main(
        ["evaluate", "--method", "smoothing", "--images", str(images), "--labels", str(labels)]
        + [str(word) for word in words]
    )


def test_table_files_and_sheet(folders, tmp_path, capsys):
    files = {kind: tmp_path / f"result.{kind}" for kind in ("json", "csv", "png")}
    code = evaluate(
        folders, "--set", "width=0", "--json", files["json"], "--csv", files["csv"],
        "--sheet", files["png"],
    )  # fmt: skip
    assert code == exit_codes.OK
    told = capsys.readouterr().out
    assert "3 cases measured" in told
    result = json.loads(files["json"].read_text())
    dices = {case["case"]: case["dice"] for case in result["cases"]}
    # Half of the eight columns overlap in b.
    assert dices == pytest.approx({"a": 1.0, "b": 0.5, "c": 1.0})
    assert result["summary"]["dice"] == pytest.approx(2.5 / 3)
    assert result["summary"]["labels"]["spot"]["iou"] == pytest.approx((1 + 1 / 3 + 1) / 3)
    assert result["cases"][1]["labels"][0]["hd95_mm"] == pytest.approx(4.0)
    assert result["setting"]["model"] == "smoothing/bright"
    with files["csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["a", "b", "c"]
    assert float(rows[1]["dice"]) == pytest.approx(0.5)
    with Pillow.open(files["png"]) as sheet:
        assert sheet.width > 3 * 300


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_what_is_measured_is_never_replaced(folders, option, tmp_path, capsys):
    known = folders[1] / "a.nii.gz"
    before = known.read_bytes()
    assert evaluate(folders, option, known) == exit_codes.BAD_INPUT
    assert f"The output {known} is also an input" in capsys.readouterr().err
    cases = tmp_path / "cases.txt"
    cases.write_text("a\n")
    assert evaluate(folders, "--cases", cases, option, cases) == exit_codes.BAD_INPUT
    assert (known.read_bytes(), cases.read_text()) == (before, "a\n")


def test_a_file_in_place_of_a_folder_is_called_one(folders, capsys):
    assert evaluate((folders[0] / "a.nii.gz", folders[1])) == exit_codes.BAD_INPUT
    assert "a.nii.gz is a file; give a folder that holds images." in capsys.readouterr().err


def test_json_on_stdout_is_alone(folders, capsys):
    assert evaluate(folders, "--json", "-") == exit_codes.OK
    assert json.loads(capsys.readouterr().out)["summary"]["cases"] == 3


def test_a_failing_case_stops_no_other_but_the_exit_code_tells(folders, capsys):
    (folders[0] / "b.nii.gz").write_bytes(b"broken")
    assert evaluate(folders) == exit_codes.BAD_INPUT
    told = capsys.readouterr().out
    assert "b  failed: b.nii.gz" in told
    assert "2 cases measured, 1 failed" in told


def test_clicks_mend_the_outline(folders, capsys, tmp_path):
    report = tmp_path / "r.json"
    assert evaluate(folders, "--clicks", 3, "--json", report, "--set", "width=0") == exit_codes.OK
    result = json.loads(report.read_text())
    curve = result["summary"]["dice_after_clicks"]
    assert len(curve) == 4
    assert curve == sorted(curve)
    assert curve[3] > curve[0]
    clicks = {case["case"]: case["clicks"] for case in result["cases"]}
    assert clicks["b"][0]["include"] is True
    # The first click goes into the middle of the object, where it is already right.
    middle = GEOMETRY.ras_to_kji([clicks["a"][0]["position_ras"]])[0]
    assert all(part.start <= at < part.stop for at, part in zip(middle, SPOT, strict=True))
    assert len(clicks["a"]) == 1
    assert "Mean Dice by number of clicks: 0: 0.833" in capsys.readouterr().out


def test_clicks_are_counted_as_in_papers(folders, capsys, tmp_path):
    files = {kind: tmp_path / f"result.{kind}" for kind in ("json", "csv")}
    words = ("--clicks", 4, "--json", files["json"], "--csv", files["csv"], "--set", "width=0")
    assert evaluate(folders, *words) == exit_codes.OK
    result = json.loads(files["json"].read_text())
    clicks = result["summary"]["clicks"]
    assert (clicks["limit"], clicks["cases"]) == (4, 3)
    assert list(clicks["dice_after"]) == ["1", "3"]
    # a and c are exact after the first click; a ball of two voxels cannot mend b so far.
    assert clicks["noc85"] == clicks["noc90"] == pytest.approx((1 + 4 + 1) / 3)
    assert clicks["noc85_never"] == clicks["noc90_never"] == 1
    assert clicks["rules"] == ["clicks: balls"]
    cases = {case["case"]: case for case in result["cases"]}
    assert (cases["a"]["noc85"], cases["b"]["noc85"]) == (1, None)
    dices = [click["dice"] for click in cases["b"]["clicks"]]
    ious = [click["iou"] for click in cases["b"]["clicks"]]
    assert ious == pytest.approx([dice / (2 - dice) for dice in dices])
    with files["csv"].open() as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    assert float(rows["b"]["dice_after_click_3"]) == pytest.approx(dices[2], abs=1e-5)
    assert rows["b"]["dice_after_click_5"] == ""
    assert (rows["a"]["noc90"], rows["b"]["noc90"]) == ("1", "")
    told = capsys.readouterr().out
    assert "NoC85: 2.00 clicks until IoU 0.85 (at most 4); never in 1 of 3" in told
    assert 'Rule with clicks: "clicks: balls"' in told


def test_the_rule_is_reported(folders, capsys, tmp_path):
    files = {kind: tmp_path / f"result.{kind}" for kind in ("json", "csv")}
    words = ("--json", files["json"], "--csv", files["csv"], "--set", "halve=true")
    assert evaluate(folders, *words) == exit_codes.OK
    result = json.loads(files["json"].read_text())
    assert [case["rule"] for case in result["cases"]] == ["brighter half"] * 3
    assert result["summary"]["rules"] == {"brighter half": 3}
    with files["csv"].open() as file:
        assert {row["rule"] for row in csv.DictReader(file)} == {"brighter half"}
    told = capsys.readouterr().out
    assert told.splitlines()[0].endswith("rule")
    assert told.splitlines()[1].endswith("  brighter half")
    assert 'Rule that made the outlines: "brighter half" 3' in told


def test_an_oracle_says_so_everywhere(folders, capsys, tmp_path):
    files = {kind: tmp_path / f"result.{kind}" for kind in ("json", "csv")}
    words = ("--json", files["json"], "--csv", files["csv"], "--set", "width=0", "--set", "parts=1")
    assert evaluate(folders, "--oracle", *words) == exit_codes.OK
    result = json.loads(files["json"].read_text())
    assert result["setting"]["ORACLE"] is True
    # The regions are the bright block and the rest.
    assert result["summary"]["ORACLE"]["ORACLE_dice"] == pytest.approx(2.5 / 3)
    (score,) = result["cases"][1]["ORACLE"]
    assert score["ORACLE_dice"] == pytest.approx(0.5)
    assert (score["ORACLE_regions"], score["ORACLE_offered"]) == (1, 2)
    with files["csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[1]["ORACLE_iou"]) == pytest.approx(1 / 3, abs=1e-5)
    told = capsys.readouterr().out
    assert told.count("ORACLE Dice") == 4
    assert "ORACLE (regions chosen with the known outline" in told


def test_an_oracle_without_regions_is_refused_at_once(folders, capsys):
    assert evaluate(folders, "--oracle") == exit_codes.BAD_INPUT
    told = capsys.readouterr()
    assert told.err.strip().endswith(
        "The method smoothing gives no regions to choose from; leave --oracle out."
    )
    assert len(told.err.splitlines()) == 1


def test_chosen_cases(folders, tmp_path, capsys):
    listing = tmp_path / "cases.txt"
    listing.write_text("b\n")
    for more, expected in (
        (["--cases", listing], ["b"]),
        (["--split", "test"], ["b", "c"]),
        (["--split", "train"], ["a"]),
        (["--limit", 1], ["a"]),
    ):
        report = tmp_path / "r.json"
        assert evaluate(folders, *more, "--json", report) == exit_codes.OK
        cases = json.loads(report.read_text())["cases"]
        assert [case["case"] for case in cases] == expected
    capsys.readouterr()
    assert evaluate(folders, "--split", "tset") == exit_codes.BAD_INPUT
    assert "Did you mean 'test'?" in capsys.readouterr().err


def test_channels(tmp_path, capsys):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    bright_volume().write(images / "S_1_ct.nii.gz")
    bright_volume(value=255).write(images / "S_1_mr.nii.gz")
    spot_mask().write(labels / "S_1.nii.gz")
    for chosen, expected in (([], ["ct", "mr"]), (["--channels", "mr"], ["mr"])):
        report = tmp_path / "r.json"
        words = ["--model", "pair", "--json", report, *chosen]
        assert evaluate((images, labels), *words) == exit_codes.OK
        assert json.loads(report.read_text())["cases"][0]["channels"] == expected
    capsys.readouterr()
    code = evaluate((images, labels), "--model", "pair", "--channels", "mri")
    assert code == exit_codes.BAD_INPUT
    assert "Did you mean 'mr'?" in capsys.readouterr().err


def test_pictures_ignored_voxels_and_label_values(tmp_path, capsys):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    array = np.full((1, 1, 60, 80), 20, np.uint8)
    array[..., 20:40, 30:60] = 220
    geometry = Geometry((1, 60, 80))
    Image(array, geometry).write(images / "p.png")
    truth = np.zeros((1, 60, 80), np.uint8)
    truth[:, 20:40, 30:60] = 3
    truth[:, 20:40, 0:10] = 255
    Mask(truth, geometry).write(labels / "p.png")
    found = {}
    for name, more in {
        "all": [],
        "one value": ["--label-values", "3"],
        "ignored": ["--ignore-value", "255"],
    }.items():
        report = tmp_path / "r.json"
        words = ["--set", "width=0", "--json", report, *more]
        assert evaluate((images, labels), *words) == exit_codes.OK
        found[name] = json.loads(report.read_text())["cases"][0]["dice"]
    assert found["all"] == pytest.approx(2 * 600 / (600 + 800))
    assert found["one value"] == pytest.approx(1.0)
    assert found["ignored"] == pytest.approx(1.0)


def test_a_picture_and_an_outline_of_different_size(tmp_path, capsys, photograph):
    labels = tmp_path / "labels"
    labels.mkdir()
    images = tmp_path / "images"
    images.mkdir()
    photograph.rename(images / "p.png")
    Mask.from_array(np.eye(7, dtype=np.uint8)).write(labels / "p.png")
    assert evaluate((images, labels)) == exit_codes.BAD_INPUT
    assert "both must have the same size" in capsys.readouterr().out


def test_an_outline_on_another_grid_is_compared_in_space(folders, tmp_path):
    _, labels = folders
    finer = spot_mask().resampled(GEOMETRY.with_spacing((0.5, 0.5, 1.0)))
    finer.write(labels / "a.nii.gz")
    report = tmp_path / "r.json"
    assert evaluate(folders, "--limit", 1, "--json", report, "--set", "width=0") == exit_codes.OK
    assert json.loads(report.read_text())["cases"][0]["dice"] > 0.99


def test_false_alarms_on_images_without_the_object(folders, tmp_path, capsys):
    negatives = tmp_path / "negatives"
    negatives.mkdir()
    for number, value in enumerate((30, 30, 30, 200)):
        bright_volume(value=value).write(negatives / f"n{number}.nii.gz")
    report = tmp_path / "r.json"
    assert evaluate(folders, "--negatives", negatives, "--json", report) == exit_codes.OK
    alarms = json.loads(report.read_text())["summary"]["negatives"]
    assert alarms["false_alarm_rate"] == 0.25
    assert alarms["verdicts"] == {"FOUND": 1, "UNCERTAIN": 0, "NOT_FOUND": 3}
    assert "false alarms 25.0 %" in capsys.readouterr().out


def test_an_outline_wrongly_not_found_counts_as_zero(folders, tmp_path):
    bright_volume(value=30).write(folders[0] / "a.nii.gz")
    report = tmp_path / "r.json"
    assert evaluate(folders, "--limit", 1, "--json", report) == exit_codes.OK
    case = json.loads(report.read_text())["cases"][0]
    assert case["dice"] == 0.0
    assert case["labels"][0]["hd95_mm"] is None
    assert math.isclose(case["labels"][0]["volume_error_percent"], -100.0)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--json", "nowhere/r.json"], "create it first"),
        (["--sheet", "sheet.bmp"], "must end in"),
        (["--csv", "r.txt", "--json", "r.txt"], "Two outputs"),
        (["--cases", "nowhere.txt"], "cannot be read"),
        (["--label-values", "0"], "at least 1"),
        (["--clicks", "-1"], "at least 0"),
        (["--negatives", "nowhere"], "does not exist"),
        (["--channels", "a,b"], "takes 1 channels"),
        (["--cases", "x", "--split", "test"], "not allowed with"),
    ],
)
def test_unusable_wishes(folders, more, word, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert evaluate(folders, *more) == exit_codes.BAD_INPUT
    told = capsys.readouterr()
    assert word in told.err
    assert len(told.err.splitlines()) == 1
