import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from DiffusionSegLib.methods.adzus.canvas import EDGE_SCALES, make_canvas
from DiffusionSegLib.methods.adzus.color import lab_from_rgb
from DiffusionSegLib.methods.adzus.neighbors import straight_pairs
from Testing.Library.methods.adzus.made_planes import made_picture


def slow_edges(rgb, sigma):
    """Steps between touching pixels, ranked by counting."""
    lab = np.stack(
        [ndimage.gaussian_filter(lab_from_rgb(rgb)[..., c], sigma) for c in range(3)], axis=-1
    )
    at = np.arange(rgb.shape[0] * rgb.shape[1]).reshape(rgb.shape[:2])
    first, second = straight_pairs(at)
    flat = lab.reshape(-1, 3)
    steps = np.sqrt(((flat[first] - flat[second]) ** 2).sum(1))
    weaker = np.array([(steps < step).sum() for step in steps])
    return -np.log(1.02 - weaker / len(steps))


@pytest.mark.parametrize("number", range(len(EDGE_SCALES)))
def test_an_edge_is_worth_the_logarithm_of_how_rare_it_is(number):
    rgb = np.random.default_rng(0).random((13, 17, 3)).astype(np.float32)
    found = make_canvas(rgb).edges[number]
    wanted = slow_edges(rgb, EDGE_SCALES[number])
    # Rounding may swap two edges of nearly the same strength.
    assert np.abs(found - wanted).mean() < 2e-3
    assert found.min() == pytest.approx(-np.log(1.02), abs=1e-6)
    assert 3.0 < found.max() < 4.0


def test_edges_are_comparable_whatever_the_contrast():
    """Twice the contrast in L* leaves ranks as they are."""
    rng = np.random.default_rng(1)
    gray = ndimage.gaussian_filter(rng.random((40, 40)), 2.0)
    lightness = 20 + 30 * (gray - gray.min()) / np.ptp(gray)
    canvases = [make_canvas(_gray_of(factor * lightness)) for factor in (1.0, 2.0)]
    for one, other in zip(*(canvas.edges for canvas in canvases), strict=True):
        assert np.abs(one - other).mean() < 0.02
    assert canvases[1].slope.mean() == pytest.approx(2 * canvases[0].slope.mean(), rel=1e-2)


def _gray_of(lightness):
    """Gray sRGB of L* above 8, by CIE 15 and IEC 61966-2-1."""
    linear = ((lightness + 16) / 116) ** 3
    value = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.repeat(value[..., None], 3, axis=2).astype(np.float32)


def test_the_slope_of_a_ramp_is_its_rise_a_pixel():
    lightness = np.broadcast_to(20 + 1.5 * np.arange(40.0), (30, 40))
    slope = make_canvas(_gray_of(lightness)).slope[5:-5, 5:-5]
    assert slope == pytest.approx(1.5, rel=1e-3)


def test_color_is_smoothed_lab():
    rgb = made_picture(24)
    canvas = make_canvas(rgb)
    lab = lab_from_rgb(rgb)
    for channel in range(3):
        wanted = ndimage.gaussian_filter(lab[..., channel], 1.5)
        assert np.allclose(canvas.color[..., channel], wanted, atol=1e-3)
    assert canvas.size == (24, 24)
    assert np.array_equal(canvas.rgb, rgb)


def test_the_body_is_all_but_the_dark_that_reaches_the_frame():
    rgb = np.zeros((60, 80, 3), dtype=np.float32)
    rgb[10:50, 20:60] = 0.7
    rgb[25:35, 35:45] = 0.0  # an air-filled hole inside is part of the body
    body = make_canvas(rgb).body
    assert 40 * 40 <= body <= 45 * 45  # smoothing moves the border a little
    assert make_canvas(np.full((20, 30, 3), 0.5, np.float32)).body == 600
    assert make_canvas(np.zeros((20, 30, 3), np.float32)).body == 1


def test_the_rim_runs_around_the_body():
    rgb = np.zeros((60, 80, 3), dtype=np.float32)
    rgb[10:50, 20:60] = 0.7
    rgb[25:35, 35:45] = 0.0  # the border of the hole is none of the body's
    canvas = make_canvas(rgb)
    across, down = canvas.rim[: 60 * 79].reshape(60, 79), canvas.rim[60 * 79 :].reshape(59, 80)
    assert set(np.unique(canvas.rim)) == {0.0, 1.0}
    assert (across.sum(axis=1)[12:48] == 2).all() and (down.sum(axis=0)[22:58] == 2).all()
    assert across[30, 16:22].sum() == 1 and down[6:12, 40].sum() == 1
    assert not make_canvas(np.full((20, 30, 3), 0.5, np.float32)).rim.any()


def test_texture_is_low_where_the_picture_is_flat():
    rgb = np.full((40, 40, 3), 0.5, dtype=np.float32)
    rgb[:, 20:] += np.random.default_rng(0).uniform(-0.3, 0.3, (40, 20, 3)).astype(np.float32)
    canvas = make_canvas(rgb)
    assert canvas.texture[:, :10] == pytest.approx(np.log(0.2), abs=0.01)
    assert canvas.texture[:, 25:].mean() > np.log(2.0)
    assert np.allclose(np.exp(canvas.texture) - 0.2, canvas.slope, atol=1e-4)


@settings(max_examples=20)
@given(st.integers(8, 20), st.integers(8, 20), st.integers(0, 99), st.booleans())
def test_it_is_finite_and_of_the_picture_s_size(rows, columns, seed, flat):
    rng = np.random.default_rng(seed)
    rgb = np.full((rows, columns, 3), 0.3) if flat else rng.random((rows, columns, 3))
    canvas = make_canvas(rgb.astype(np.float32))
    assert canvas.size == canvas.slope.shape == (rows, columns)
    pairs = rows * (columns - 1) + columns * (rows - 1)
    assert canvas.texture.shape == (rows, columns)
    for one in (*canvas.edges, canvas.rim):
        assert one.shape == (pairs,)
        assert np.isfinite(one).all()
    assert 1 <= canvas.body <= rows * columns
