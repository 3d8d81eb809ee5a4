import json

from Testing.Benchmarks import worker_speed


def test_both_ways_are_measured_and_compared_with_the_targets(tmp_path, capsys):
    path = tmp_path / "speed.json"
    code = worker_speed.main(["--shape", "8", "256", "256", "--rounds", "2", "--json", str(path)])
    found = json.loads(path.read_text())
    assert found["megabytes"] == 8 * 256 * 256 * 2 / 1e6
    assert 0 < found["bare_pipe_s"] < 5
    assert found["ratio"] == found["worker_s"] / found["bare_pipe_s"]
    assert 0 < found["question_ms"] <= found["slowest_question_ms"]
    good = found["ratio"] <= 2 and found["question_ms"] <= 5
    assert code == (0 if good else 1)
    assert "bare pipe" in capsys.readouterr().out
