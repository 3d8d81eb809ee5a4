import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.plane import CANVAS_SIDE, canvas_size, make_plane, resized
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.compact.tiny import open_tiny, write_model
from Testing.Library.methods.adzus.made_planes import made_picture

SIDES = st.integers(1, 3000)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return open_tiny(write_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def plane(backbone):
    rgb = resized(made_picture(), (90, 150))
    told: list[float] = []
    made = make_plane(rgb, backbone, 100, Progress(lambda report: told.append(report.fraction)))
    assert told == sorted(told)
    assert told[-1] == 1.0
    return made


@given(SIDES, SIDES)
def test_the_long_side_of_the_canvas_is_256(rows, columns):
    found = canvas_size((rows, columns))
    assert max(found) == CANVAS_SIDE
    short, long = sorted((rows, columns))
    assert min(found) == max(8, round(CANVAS_SIDE / long * short))
    assert canvas_size((columns, rows)) == found[::-1]


def test_sizes_belong_together(plane):
    assert plane.size == (90, 150)
    assert plane.canvas.size == (154, 256)
    rows, columns = plane.attention.grid
    assert columns > rows
    assert plane.attention.walk.shape == (rows * columns, rows * columns)
    values = np.ones(rows * columns, np.float32)
    assert plane.enlarge(values).shape == plane.canvas.size
    assert plane.enlarge(values) == pytest.approx(1.0, abs=1e-5)
    assert plane.on_slice(np.ones(plane.canvas.size, np.float32)).shape == plane.size


def test_the_canvas_is_the_slice_made_larger(plane):
    back = resized(plane.canvas.rgb, plane.size)
    assert np.abs(back - plane.rgb).mean() < 0.02


@given(st.floats(-0.5, 89.5), st.floats(-0.5, 149.5))
def test_corners_of_pixels_stay_corners(plane, row, column):
    """The slice's edge is the canvas's edge: positions are scaled from pixel border to border."""
    found = plane.on_canvas(np.array([[row, column]]))[0]
    share = (np.array([row, column]) + 0.5) / plane.size
    assert found + 0.5 == pytest.approx(share * plane.canvas.size, abs=1e-9)


@pytest.mark.parametrize("place", [(20, 30), (45, 75), (70, 130), (1, 1)])
def test_what_is_drawn_on_the_canvas_appears_there_on_the_slice(plane, place):
    row, column = plane.on_canvas(np.array([place]))[0]
    rows, columns = np.indices(plane.canvas.size)
    blob = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 18).astype(np.float32)
    back = plane.on_slice(blob)
    assert np.abs(np.array(np.unravel_index(back.argmax(), back.shape)) - place).max() <= 1


def test_shrinking_averages_and_enlarging_is_bilinear():
    values = np.arange(8.0, dtype=np.float32).reshape(1, 8, 1)
    wide = np.repeat(values, 4, axis=0)
    assert resized(wide, (4, 16))[0, 1:-1:2, 0] == pytest.approx(np.arange(0.25, 7), abs=1e-6)
    noise = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    small = resized(noise, (4, 4))
    assert small.std() < 0.35 * noise.std()  # a picked pixel would vary as much as the noise
    assert small.mean() == pytest.approx(noise.mean(), abs=0.02)


def test_it_can_be_made_of_a_slice_smaller_than_the_network_reads(backbone):
    made = make_plane(made_picture(24)[:5, :20].copy(), backbone, 100, Progress.silent())
    assert made.canvas.size == (64, 256)
    assert torch.isfinite(made.attention.walk).all()
