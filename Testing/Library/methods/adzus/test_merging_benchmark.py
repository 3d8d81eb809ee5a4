"""The benchmark of merging runs, on maps so small that the ratio means nothing."""

import json

from Testing.Benchmarks import adzus_merging


def test_it_tells_the_ratio_and_whether_labels_are_equal(tmp_path, capsys):
    words = ["--side", "16", "--anchors", "4", "--taus", "0.1", "0.5"]
    code = adzus_merging.main([*words, "--json", str(tmp_path / "table.json")])
    rows = json.loads((tmp_path / "table.json").read_text("utf-8"))["rows"]
    assert [row["tau"] for row in rows] == [0.1, 0.5]
    assert [row["labels equal"] for row in rows] == ["yes", "yes"]
    assert rows[0]["regions"] > rows[1]["regions"] >= 1
    assert code == int(any(row["ratio"] < adzus_merging.TARGET for row in rows))
    assert "ratio" in capsys.readouterr().out
