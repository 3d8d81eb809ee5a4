import json

import pytest

from DiffusionSegLib.planning.rates import Rate, RateKey, Rates, rates_file

KEY, OTHER = RateKey("m 12", "cpu torch 2", "card"), RateKey("m 12", "cuda A torch 2", "card")


def test_the_runs_so_far_count_for_their_model_and_device():
    rates = Rates()
    assert rates.find(KEY) is None
    rates.learn(KEY, 0.5, 100)
    rates.learn(OTHER, 0.01)
    assert rates.find(KEY) == Rate(0.5, 100) and rates.find(OTHER) == Rate(0.01, None)
    rates.learn(KEY, 0.25, 0)  # the process already holds what it needed
    found = rates.find(KEY)
    assert found.seconds == pytest.approx(0.7 * 0.25 + 0.3 * 0.5) and found.network_bytes == 100


def test_a_run_that_stood_still_counts_little_and_the_next_puts_it_right():
    rates = Rates()
    for seconds in (1.0, 500.0):
        rates.learn(KEY, seconds)
    assert rates.find(KEY).seconds == pytest.approx(0.7 + 0.3 * 3)
    rates.learn(KEY, 1.0)
    assert rates.find(KEY).seconds == pytest.approx(1.18)
    for _ in range(30):  # it is slower now
        rates.learn(KEY, 8.0)
    assert rates.find(KEY).seconds == pytest.approx(8.0, rel=0.01)


def test_they_survive_the_program(tmp_path):
    file = tmp_path / "data" / "rates.json"
    Rates(file).learn(KEY, 0.5, 100)
    assert Rates(file).find(KEY) == Rate(0.5, 100)
    first, second = Rates(file), Rates(file)
    first.learn(OTHER, 2.0)
    second.learn(KEY, 1.5)  # does not know of the other's
    found = Rates(file)
    assert found.find(OTHER) == Rate(2.0)
    assert found.find(KEY).seconds == pytest.approx(0.8)
    assert [one.name for one in file.parent.iterdir()] == ["rates.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00", b"[]", b"{}", b'{"version": 2, "rates": {}}', b'{"version": 1}',
     b'{"version": 1, "rates": {"a": [0, null]}}', b'{"version": 1, "rates": {"a": [NaN, 1]}}',
     b'{"version": 1, "rates": {"a": ["x", 1]}}', b'{"version": 1, "rates": {"a": [1, -1]}}',
     b'{"version": 1, "rates": {"a": 3}}', b"[" * 100_000, b"0" * 1_000_001],
)  # fmt: skip
def test_a_damaged_file_is_as_if_it_were_empty(tmp_path, content):
    file = tmp_path / "rates.json"
    file.write_bytes(content)
    rates = Rates(file)
    assert rates.find(KEY) is None
    rates.learn(KEY, 0.5)
    assert Rates(file).find(KEY) == Rate(0.5)


def test_a_place_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    rates = Rates(tmp_path / "file" / "rates.json")
    rates.learn(KEY, 0.5)
    assert rates.find(KEY) == Rate(0.5)
    (tmp_path / "rates.json").mkdir()
    Rates(tmp_path / "rates.json").learn(KEY, 0.5)


def test_the_file_does_not_grow_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr("DiffusionSegLib.planning.rates._MOST", 20)
    rates = Rates(tmp_path / "rates.json")
    for number in range(30):
        rates.learn(RateKey(str(number), "cpu", "card"), 1.0)
    kept = json.loads((tmp_path / "rates.json").read_text())["rates"]
    assert len(kept) == 20 and "29 | cpu | card" in kept and "0 | cpu | card" not in kept


def test_where_it_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("DIFFUSIONSEG_RATES", str(tmp_path / "own.json"))
    assert rates_file() == tmp_path / "own.json"
    monkeypatch.setenv("DIFFUSIONSEG_RATES", " ")
    assert rates_file() is None
    monkeypatch.delenv("DIFFUSIONSEG_RATES")
    assert rates_file().name == "rates.json" and "DiffusionSeg" in str(rates_file())
