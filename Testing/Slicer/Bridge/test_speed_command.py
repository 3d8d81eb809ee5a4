"""The benchmark of the bridge runs on small volumes."""

import json
from pathlib import Path
from typing import Any

import pytest

from Testing.Benchmarks.bridge_speed import main

pytestmark = pytest.mark.slicer


def test_it_measures_reading_and_writing(
    scene: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "x.json"
    assert main(["--shrink", "16", "--repeat", "2", "--json", str(table)]) == 0
    rows = json.loads(table.read_text("utf-8"))
    names = [row["what"] for row in rows]
    assert {"imageFromVolumes", "imageKey", "writeSegment", "readSegments"} <= set(names)
    assert all(row["wall_ms"] > 0 and row["first_ms"] > 0 for row in rows)
    assert "writeSegment, shared" in capsys.readouterr().out
