import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.neighbors import straight_pairs
from DiffusionSegLib.methods.adzus.nested import measure_regions, nested_regions


def border_steps(mask, steps):
    """How many pairs of pixels with that step have one inside and one outside."""
    count = 0
    for row, column in np.ndindex(*mask.shape):
        for down, right in steps:
            other = row + down, column + right
            if 0 <= other[0] < mask.shape[0] and 0 <= other[1] < mask.shape[1]:
                count += bool(mask[row, column] != mask[other])
    return count


def canvas_of(size, edges, body=77, rng=None):
    """With the given edges, and everything else that is measured at random or nothing."""
    pairs = size[0] * (size[1] - 1) + size[1] * (size[0] - 1)
    colors = np.zeros((*size, 3), np.float32)
    texture = np.zeros(size, np.float32) if rng is None else rng.normal(size=size)
    rim = np.zeros(pairs) if rng is None else rng.integers(0, 2, pairs)
    return Canvas(
        colors, colors, colors[..., 0], edges, texture.astype(np.float32), body,
        rim.astype(np.float32),
    )  # fmt: skip


def slow_measures(mask, canvas, center):
    """One region by itself, from the documentation of RegionMeasures."""
    area = int(mask.sum())
    radius = np.sqrt(area / np.pi)
    straight = border_steps(mask, ((0, 1), (1, 0)))
    diagonal = border_steps(mask, ((1, 1), (1, -1)))
    length = max(1.0, np.pi / 8 * (straight + diagonal / np.sqrt(2)))
    first, second = straight_pairs(mask.astype(np.int64))
    apart = first != second
    outside = np.argwhere(~mask)
    depth = np.hypot(*(outside - center).T).min() if len(outside) else 1e4
    frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return {
        "area": area / canvas.body,
        "edges": [float(one[apart].mean()) if apart.any() else 0.0 for one in canvas.edges],
        "gaps": float((canvas.edges[-1][apart] < 0.5).mean()) if apart.any() else 0.0,
        "rim": float(canvas.rim[apart].mean()) if apart.any() else 0.0,
        "texture": float(canvas.texture[mask].mean()),
        "compactness": np.clip(4 * np.pi * area / length**2, 1e-3, 1.0),
        "depth": np.clip(depth / radius, 1e-2, 1.2),
        "off_center": np.hypot(*(np.argwhere(mask).mean(axis=0) - center)) / radius,
        "at_frame": frame.sum() / np.sqrt(area),
    }


@settings(max_examples=25)
@given(
    st.integers(2, 12), st.integers(2, 12), st.integers(0, 999), st.sampled_from([3, 20, None]),
    st.floats(0.0, 1.0), st.floats(0.0, 1.0),
)  # fmt: skip
def test_every_measure_of_every_level_is_that_of_the_region_alone(
    rows, columns, seed, kinds, down, right
):
    rng = np.random.default_rng(seed)
    size = (rows, columns)
    values = rng.integers(0, kinds, size) if kinds else rng.normal(size=size)
    regions = nested_regions(values.astype(np.float32))
    pairs = rows * (columns - 1) + columns * (rows - 1)
    edges = tuple(rng.random(pairs).astype(np.float32) for _ in range(3))
    center = (down * (rows - 1), right * (columns - 1))
    canvas = canvas_of(size, edges, rng=rng)
    found = measure_regions(regions, canvas, center)
    for level in range(len(regions.areas)):
        mask = regions.region(level)
        assert mask.sum() == regions.areas[level]
        wanted = slow_measures(mask, canvas, center)
        assert [one[level] for one in found.edges] == pytest.approx(wanted.pop("edges"), abs=1e-5)
        for name, value in wanted.items():
            assert getattr(found, name)[level] == pytest.approx(value, abs=1e-6), name


@settings(max_examples=40)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 999), st.booleans())
def test_regions_grow_to_all_of_the_picture(rows, columns, seed, smooth):
    rng = np.random.default_rng(seed)
    values = rng.exponential(size=(rows, columns)).astype(np.float32)
    if not smooth:
        values = values.round(1)
    regions = nested_regions(values)
    assert (np.diff(regions.areas) >= 0).all()
    assert regions.areas[-1] == values.size
    assert regions.areas[0] >= 1
    assert len(regions.areas) <= 128
    assert regions.region(len(regions.areas) - 1).all()


def test_few_values_are_a_level_each():
    values = np.array([[5.0, 1.0, 1.0], [3.0, 3.0, 9.0]], dtype=np.float32)
    regions = nested_regions(values)
    assert regions.level.tolist() == [[2, 0, 0], [1, 1, 3]]
    assert regions.areas.tolist() == [2, 4, 5, 6]


def test_many_values_become_thresholds_apart_in_area_and_in_value():
    values = np.random.default_rng(0).exponential(size=(100, 100)).astype(np.float32)
    regions = nested_regions(values)
    assert 120 <= len(regions.areas) <= 128
    # Every region is one of {values <= t}.
    for level in range(0, len(regions.areas), 9):
        mask = regions.region(level)
        if not mask.all():
            assert values[mask].max() < values[~mask].min()
    # Half of the thresholds are equally far apart in area, so no step is larger than 1/63.
    assert np.diff(regions.areas).max() <= 10_000 / 63 + 1
    limits = [values[regions.region(n)].max() for n in range(len(regions.areas))]
    below = [limit for limit in limits if limit <= np.quantile(values, 0.98)]
    assert np.diff(below).max() <= np.quantile(values, 0.98) / 63 + 0.02


def test_a_disc_is_round_and_its_middle_deep():
    rows, columns = np.ogrid[:101, :101]
    far = np.hypot(rows - 50, columns - 50)
    regions = nested_regions(np.where(far <= 30, 0.0, 1.0).astype(np.float32))
    canvas = canvas_of((101, 101), (np.ones(2 * 101 * 100, np.float32),), 101 * 101)
    middle = measure_regions(regions, canvas, (50.0, 50.0))
    assert middle.compactness[0] == pytest.approx(1.0, abs=0.03)
    assert middle.depth[0] == pytest.approx(1.0, abs=0.03)
    assert middle.off_center[0] == pytest.approx(0.0, abs=1e-9)
    assert middle.at_frame[0] == 0
    aside = measure_regions(regions, canvas, (50.0, 65.0))
    assert aside.off_center[0] == pytest.approx(0.5, abs=0.01)
    assert aside.depth[0] == pytest.approx(0.5, abs=0.05)


def test_a_bar_is_not_round():
    values = np.ones((60, 60), dtype=np.float32)
    values[28:32, 5:55] = 0
    canvas = canvas_of((60, 60), (np.ones(7080, np.float32),), 3600)
    found = measure_regions(nested_regions(values), canvas, (30, 30))
    # 4πA/P² of 4 x 50 is 4π · 200 / 108².
    assert found.compactness[0] == pytest.approx(0.2155, rel=0.15)
