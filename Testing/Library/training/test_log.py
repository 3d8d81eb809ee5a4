import csv

import numpy as np
import pytest

from DiffusionSegLib.training.log import TrainingLog

COLUMNS = ("loss", "dice")


def rows(folder):
    with open(folder / "log.csv", newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def test_rows_are_steps_and_short_numbers(tmp_path):
    with TrainingLog(tmp_path / "run", COLUMNS) as log:
        log.row(10, {"loss": 0.123456789})
        log.row(20, {"loss": 1e-9, "dice": 1.0})
    assert rows(tmp_path / "run") == [
        ["step", "loss", "dice"],
        ["10", "0.123457", ""],
        ["20", "1e-09", "1"],
    ]


@pytest.mark.parametrize("resumed", [0, 10, 15, 20, 99])
def test_after_a_resume_the_file_reads_as_if_never_stopped(tmp_path, resumed):
    def value(step):
        return {"loss": 1 / step}

    with TrainingLog(tmp_path / "whole", COLUMNS) as log:
        for step in range(10, 60, 10):
            log.row(step, value(step))
    with TrainingLog(tmp_path / "killed", COLUMNS) as log:
        for step in range(10, 40, 10):
            log.row(step, value(step))
    reached = min(resumed, 30)
    with TrainingLog(tmp_path / "killed", COLUMNS, resumed) as log:
        for step in range(reached // 10 * 10 + 10, 60, 10):
            log.row(step, value(step))
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")


def test_lines_that_were_cut_off_are_dropped(tmp_path):
    (tmp_path / "log.csv").write_text("step,loss,dice\n10,0.5,\n1")  # "1" was to be 100
    with TrainingLog(tmp_path, COLUMNS, 50) as log:
        log.row(60, {"loss": 0.25})
    assert rows(tmp_path) == [["step", "loss", "dice"], ["10", "0.5", ""], ["60", "0.25", ""]]


def test_another_file_by_that_name_is_replaced_by_a_record(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"\x00not a record")
    with TrainingLog(tmp_path, COLUMNS, 50) as log:
        log.row(60, {"loss": 0.25})
    assert rows(tmp_path)[0] == ["step", "loss", "dice"]
    assert rows(tmp_path)[-1] == ["60", "0.25", ""]


def test_pictures_and_curves_go_to_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with TrainingLog(tmp_path, COLUMNS) as log:
        log.row(10, {"loss": 0.5})
        log.row(20, {"loss": 0.4})
        log.picture(10, "sample", np.zeros((4, 6, 3), np.uint8))
    with TrainingLog(tmp_path, COLUMNS, 10) as log:
        log.row(20, {"loss": 0.3})
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, round(e.value, 3)) for e in events.Scalars("loss")] == [(10, 0.5), (20, 0.3)]
    assert events.Tags()["images"] == ["sample"]
