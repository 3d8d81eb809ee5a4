import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.canvas import make_canvas
from DiffusionSegLib.methods.adzus.closeness import (
    attention_and_space,
    color_and_space,
    geodesic,
)
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from Testing.Library.methods.adzus.made_planes import made_picture, thing

FLAT = np.full((40, 60, 3), 0.5, dtype=np.float32)


@settings(max_examples=15)
@given(st.integers(0, 11), st.integers(0, 15), st.integers(0, 99))
def test_color_and_space_of_a_click(row, column, seed):
    """Distance in L*a*b* to the mean color within two pixels, and 80 units for the long side."""
    canvas = make_canvas(np.random.default_rng(seed).random((12, 16, 3)).astype(np.float32))
    found = color_and_space(canvas, disc_hint(row, column, canvas.size, True))
    near = [
        canvas.color[a, b] for a in range(12) for b in range(16)
        if abs(a - row) <= 2 and abs(b - column) <= 2
    ]  # fmt: skip
    mean = np.mean(near, axis=0)
    for a, b in np.ndindex(12, 16):
        wanted = np.linalg.norm(canvas.color[a, b] - mean) + 80 / 16 * np.hypot(a - row, b - column)
        assert found[a, b] == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_color_and_space_of_a_stroke():
    """The mean of its pixels, and the way to the nearest of them."""
    canvas = make_canvas(np.random.default_rng(3).random((12, 16, 3)).astype(np.float32))
    pixels = np.array([[2, 3], [2, 4], [9, 14]])
    found = color_and_space(canvas, Hint(pixels, True, is_click=False))
    mean = canvas.color[pixels[:, 0], pixels[:, 1]].mean(axis=0)
    for a, b in np.ndindex(12, 16):
        away = min(np.hypot(a - r, b - c) for r, c in pixels)
        wanted = np.linalg.norm(canvas.color[a, b] - mean) + 80 / 16 * away
        assert found[a, b] == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_in_a_flat_picture_a_geodesic_is_a_straight_line():
    canvas = make_canvas(FLAT)
    found = geodesic(canvas, disc_hint(10, 20, canvas.size, True))
    rows, columns = np.ogrid[:40, :60]
    far = np.hypot(rows - 10, columns - 20)
    assert found[10, 20] == 0
    assert np.abs(found - 0.2 * far).max() < 0.2 * 2.0  # first-order marching on a grid


def test_a_geodesic_is_short_within_an_object_and_long_across_its_edge():
    canvas = make_canvas(made_picture(noise=0.0))
    found = geodesic(canvas, disc_hint(34, 34, canvas.size, True))
    disc = thing(1)
    assert found[disc].max() < found[~disc].max()
    assert np.median(found[disc]) < 0.2 * np.median(found[~disc])


def test_the_cost_of_an_edge_is_what_its_slope_sums_to():
    """A straight way across a vertical edge: 0.2 a pixel and all of the slope."""
    rgb = FLAT.copy()
    rgb[:, 30:] = 0.8
    canvas = make_canvas(rgb)
    found = geodesic(canvas, disc_hint(20, 10, canvas.size, True))
    wanted = (0.2 + canvas.slope[20, 11:51]).sum()
    assert found[20, 50] == pytest.approx(wanted, rel=0.05)


def test_every_pixel_of_a_stroke_is_a_start():
    canvas = make_canvas(np.random.default_rng(0).random((20, 30, 3)).astype(np.float32))
    pixels = np.array([[3, 4], [15, 25]])
    both = geodesic(canvas, Hint(pixels, True, is_click=False))
    each = [geodesic(canvas, disc_hint(r, c, canvas.size, True)) for r, c in pixels]
    assert np.allclose(both, np.minimum(*each), rtol=0.05, atol=0.5)
    assert both[3, 4] == both[15, 25] == 0


@settings(max_examples=10)
@given(st.integers(0, 11), st.integers(0, 15), st.integers(0, 99))
def test_attention_and_space_by_its_documentation(row, column, seed):
    """The usual range of the map is 1; the long side counts as 1.5 of it."""
    rng = np.random.default_rng(seed)
    canvas = make_canvas(rng.random((12, 16, 3)).astype(np.float32))
    steps = rng.uniform(0, 900, (12, 16)).astype(np.float32)
    found = attention_and_space(steps, canvas, disc_hint(row, column, canvas.size, True))
    low, high = np.quantile(steps, 0.01), np.quantile(steps, 0.95)
    for a, b in np.ndindex(12, 16):
        away = np.hypot(a - row, b - column) / 16
        wanted = (steps[a, b] - low) / (high - low) + 1.5 * away
        assert found[a, b] == pytest.approx(wanted, abs=1e-3)


def test_a_map_without_differences_leaves_space():
    canvas = make_canvas(FLAT)
    hint = disc_hint(10, 20, canvas.size, True)
    found = attention_and_space(np.full((40, 60), 7.0, np.float32), canvas, hint)
    assert np.isfinite(found).all()
    assert found.argmin() == 10 * 60 + 20
