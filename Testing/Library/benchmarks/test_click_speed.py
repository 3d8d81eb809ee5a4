"""The benchmark of clicks on few pictures with few pixels: its parts are there, and are real."""

import json

import numpy as np
import pytest

from Testing.Benchmarks import click_speed
from Testing.Library.backbones.compact.tiny import write_model


def test_it_tells_what_set_image_and_clicks_take(tmp_path, capsys):
    folder, file = write_model(tmp_path / "tiny"), tmp_path / "table.json"
    words = ["--backbone", str(folder), "--counts", "1", "--clicks", "2", "--size", "64"]
    code = click_speed.main([*words, "--json", str(file)])
    found = json.loads(file.read_text("utf-8"))
    rows = {row["what"]: row for row in found["rows"]}
    assert list(rows)[:5] == [
        "set_image", "of it the network", "of it the preparation", "first click", "further click",
    ]  # fmt: skip
    assert rows["first click"]["count"] == rows["further click"]["count"] == 2
    assert code == int(any(row["reached"] == "no" for row in rows.values()))
    assert found["conditions"]["pixels"] == "64 x 64"
    assert "public way" in capsys.readouterr().out


def slow_upsampling(values, guide):
    """Every pixel within three places, weighed one by one."""
    size = guide.shape[:2]
    step = [size[axis] / values.shape[axis] for axis in (0, 1)]
    high = np.zeros(size)
    for row, column in np.ndindex(*size):
        at = [np.clip((p + 0.5) / s - 0.5, 0, n - 1)
              for p, s, n in zip((row, column), step, values.shape, strict=True)]  # fmt: skip
        tents = [np.maximum(0, 1 - np.abs(np.arange(n) - p))
                 for n, p in zip(values.shape, at, strict=True)]  # fmt: skip
        high[row, column] = tents[0] @ values @ tents[1]
    result = np.zeros(size)
    for row, column in np.ndindex(*size):
        above = below = 0.0
        for a, b in np.ndindex(*size):
            far = ((a - row) / step[0]) ** 2 + ((b - column) / step[1]) ** 2
            if far <= 9:
                unlike = ((guide[a, b] - guide[row, column]) ** 2).sum() / 0.1**2
                weight = np.exp(-(far + unlike) / 2)
                above, below = above + weight * high[a, b], below + weight
        result[row, column] = above / below
    return result


def test_the_public_way_is_joint_bilateral_upsampling():
    rng = np.random.default_rng(0)
    guide = (0.5 + 0.1 * rng.random((12, 15, 3))).astype(np.float32)
    values = rng.random((4, 5)).astype(np.float32)
    found = click_speed.upsample_anew(values, guide)
    assert np.allclose(found, slow_upsampling(values, guide), atol=1e-5)


def test_pictures_are_turned_when_there_are_too_few():
    pictures = list(click_speed._pictures(32, 14))
    assert len(pictures) == 14
    for rgb, truth in pictures:
        assert rgb.shape == (32, 32, 3)
        assert truth.any()
    few = next(n for n in range(1, 14) if np.array_equal(pictures[n][0], np.rot90(pictures[0][0])))
    assert np.array_equal(pictures[few][1], np.rot90(pictures[0][1]))


def test_wall_and_processor_seconds():
    import time

    cost = click_speed.Cost.of(lambda: time.sleep(0.05))
    assert cost.wall == pytest.approx(0.05, abs=0.05)
    assert cost.cpu < 0.03
