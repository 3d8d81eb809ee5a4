"""Tables for people and for machines."""

import json
from pathlib import Path

import pytest

from Testing.Benchmarks.tables import Row, Spread, Table


def table() -> Table:
    rows: list[Row] = [
        {"model": "a", "Dice": Spread.of([0.5, 1.0]), "alarm": None},
        {"model": "longer", "Dice": Spread.of([float("nan")]), "extra": 0.12345},
    ]
    return Table("Title", {"split": "test", "device": "cpu"}, rows)


def test_a_spread_is_mean_and_population_deviation() -> None:
    spread = Spread.of([1.0, 3.0, float("nan")])
    assert spread == Spread(2.0, 1.0, 2)
    assert str(spread) == "2.000 ± 1.000"
    assert Spread.of([]) is None


def test_text_is_an_aligned_markdown_table_with_its_conditions() -> None:
    lines = table().text().splitlines()
    assert lines[0] == "## Title"
    assert "split: test; device: cpu" in lines
    body = [line for line in lines if line.startswith("|")]
    assert len(body) == 4
    assert len({len(line) for line in body}) == 1
    assert "0.750 ± 0.250" in body[2] and "0.123" in body[3]
    assert [cell.strip() for cell in body[3].split("|")][2] == "-"


def test_json_holds_unrounded_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table().publish(tmp_path / "t.json")
    content = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert content["conditions"]["device"] == "cpu"
    assert content["rows"][0]["Dice"] == {"mean": 0.75, "deviation": 0.25, "cases": 2}
    assert content["rows"][1]["extra"] == 0.12345
    assert "0.750 ± 0.250" in capsys.readouterr().out
