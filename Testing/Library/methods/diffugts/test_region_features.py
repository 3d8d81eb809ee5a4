"""The numbers that tell regions apart, on small pictures where each can be worked out by hand."""

import numpy as np
import pytest

from DiffusionSegLib.methods.diffugts.region_features import (
    FEATURES,
    MAP_FEATURES,
    SliceFacts,
    region_features,
    region_zones,
)
from DiffusionSegLib.methods.diffugts.slice_regions import slice_regions
from Testing.Library.methods.diffugts.test_region_candidates import disc
from Testing.Library.methods.diffugts.toys import head

SIDE = 60
SQUARE = np.zeros((SIDE, SIDE), bool)
SQUARE[20:32, 26:38] = True  # 12 x 12
BODY = np.zeros((SIDE, SIDE), bool)
BODY[10:50, 10:50] = True  # 40 x 40


def values_of(slice_, region, logits=None):
    logits = np.zeros_like(slice_) if logits is None else logits
    facts = SliceFacts.of(slice_, logits)
    return facts, dict(zip(FEATURES, region_features(facts, region[None])[0], strict=True))


def picture(inside=0.9, tissue=0.5):
    return np.where(SQUARE, inside, np.where(BODY, tissue, 0.0)).astype(np.float32)


def test_names_are_as_many_as_numbers_and_none_twice():
    assert len(set(FEATURES)) == len(FEATURES)
    _, found = values_of(picture(), SQUARE)
    assert len(found) == len(FEATURES) and np.isfinite(list(found.values())).all()
    assert all(name.startswith("map") for name in FEATURES[-MAP_FEATURES:])


def test_sizes_shades_and_levels():
    slice_ = picture()
    facts, found = values_of(slice_, SQUARE)
    body = facts.body
    assert abs(int(body.sum()) - 1600) < 200  # smoothing moves its border
    spread = slice_[body].std()
    assert found["size in the slice"] == pytest.approx(np.log(144 / 3600), abs=1e-5)
    assert found["size in the body"] == pytest.approx(np.log(144 / body.sum()), abs=1e-5)
    assert found["brighter than around"] == pytest.approx(0.4 / spread, rel=1e-3)
    assert found["unlike around"] == found["brighter than around"]
    assert found["unlike around, in its spread"] == pytest.approx(0.4 / 0.03, rel=1e-3)
    assert found["texture"] == pytest.approx(0.0, abs=1e-5)
    assert found["texture around"] == pytest.approx(0.0, abs=1e-5)
    apart = (0.9 - slice_[body].mean()) / spread
    assert found["brighter than the body"] == pytest.approx(apart, rel=1e-3)
    assert found["unlike the body"] == pytest.approx(abs(apart), rel=1e-3)
    assert found["shade"] == pytest.approx(0.9) and found["shade around"] == pytest.approx(0.5)
    assert found["body in the slice"] == pytest.approx(body.mean())
    assert found["rank of its shade"] > 0.95


def test_darker_than_around_is_as_unlike():
    _, found = values_of(picture(0.1), SQUARE)
    assert found["brighter than around"] < 0
    assert found["unlike around"] == -found["brighter than around"]


def test_shape_and_place():
    facts, found = values_of(picture(), SQUARE)
    perimeter = 144 - 100
    assert found["roundness"] == pytest.approx(4 * np.pi * 144 / perimeter**2, rel=1e-5)
    assert found["narrowness"] == pytest.approx(1.0)
    variance = np.var(np.arange(12)) * 144 / 143
    assert found["filling of its ellipse"] == pytest.approx(144 / (4 * np.pi * variance), rel=1e-4)
    assert found["at the slice's border"] == 0 and found["air around"] == 0
    assert found["in the body"] == 1
    away = np.hypot(25.5 - 29.5, 31.5 - 29.5)
    assert found["off the body's middle"] == pytest.approx(
        away / np.sqrt(facts.body.sum()), rel=0.02
    )
    nearest = facts.depth[SQUARE].min() * 8 / SIDE
    assert found["least depth"] == pytest.approx(nearest)
    assert found["depth"] > found["least depth"] > 0


def test_a_long_region_is_narrow_and_one_at_the_border_touches_it():
    thin = np.zeros((SIDE, SIDE), bool)
    thin[0:4, 20:40] = True
    _, found = values_of(np.where(thin, 0.9, 0.5).astype(np.float32), thin)
    wanted = np.sqrt(np.var(np.arange(20)) / np.var(np.arange(4)))
    assert found["narrowness"] == pytest.approx(wanted, rel=1e-3)
    assert found["at the slice's border"] == pytest.approx(20 / (80 - 2 * 18), rel=1e-5)


def test_edges_lie_where_the_shade_changes():
    _, sharp = values_of(picture(), SQUARE)
    inner = np.zeros_like(SQUARE)
    inner[23:29, 29:35] = True
    _, none = values_of(picture(), inner)
    assert sharp["edge"] > 3 * none["edge"] and sharp["edge over inner edges"] > 2
    assert sharp["closed edge"] > 0.95
    _, half = values_of(np.where(np.arange(SIDE) < 32, picture(), 0.9).astype(np.float32), SQUARE)
    assert half["closed edge"] < 0.9 * sharp["closed edge"]


def test_what_the_map_says_inside_and_around():
    logits = np.where(SQUARE, 2.0, -1.0).astype(np.float32)
    logits[25, 30] = 5.0
    facts, found = values_of(picture(), SQUARE, logits)
    core, around = region_zones(facts, SQUARE)
    assert core.sum() == 100 and not (core & ~SQUARE).any() and not (around & SQUARE).any()
    inside = (99 * 2 + 5) / 100
    assert found["map inside"] == pytest.approx(inside)
    assert found["map inside over around"] == pytest.approx(inside + 1)
    assert found["map's peak"] == 5


def test_no_regions_have_no_numbers():
    facts = SliceFacts.of(picture(), np.zeros((SIDE, SIDE), np.float32))
    assert region_features(facts, np.zeros((0, SIDE, SIDE), bool)).shape == (0, len(FEATURES))


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_slice_where_all_is_alike(value):
    """All of it is body then, and a region in it is like everything else."""
    _, found = values_of(np.full((SIDE, SIDE), value, np.float32), SQUARE)
    assert np.isfinite(list(found.values())).all()
    assert found["unlike around"] == 0 and found["texture"] == 0


def test_a_region_of_one_pixel_and_one_that_is_the_whole_slice():
    dot = np.zeros((SIDE, SIDE), bool)
    dot[0, 0] = True
    for region in (dot, np.ones((SIDE, SIDE), bool)):
        _, found = values_of(picture(), region)
        assert np.isfinite(list(found.values())).all()


@pytest.mark.parametrize("gain", [0.6, 0.8])
def test_a_scan_of_less_contrast_has_the_same_numbers(gain):
    """Shades are measured against the body's own."""
    image, lesion = head(72, 72)
    bright = image.array[0, 0].astype(np.float32) / 255
    air = bright < 0.06
    dim = np.where(air, bright, 0.1 + gain * (bright - 0.06)).astype(np.float32)
    (_, first), (_, second) = (values_of(one, lesion[0]) for one in (bright, dim))
    for name in ("brighter than around", "unlike around", "brighter than the body"):
        assert second[name] == pytest.approx(first[name], rel=0.1), name


def test_a_finer_canvas_has_the_same_numbers():
    """Sizes, places and shades do not depend on how many pixels a slice has."""
    found = []
    for side in (64, 96):
        middle = (side * 0.4, side * 0.6)
        lesion = disc((side, side), middle, side * 0.12)
        body = disc((side, side), (side / 2, side / 2), side * 0.42)
        slice_ = np.where(lesion, 0.9, np.where(body, 0.5, 0.0)).astype(np.float32)
        found.append(values_of(slice_, lesion)[1])
    close = (
        "size in the slice", "size in the body", "brighter than around", "brighter than the body",
        "rank of its shade", "narrowness", "off the body's middle", "depth", "in the body",
        "body in the slice", "shade", "shade around",
    )  # fmt: skip
    for name in close:
        assert found[1][name] == pytest.approx(found[0][name], abs=0.08, rel=0.12), name


def test_the_rank_is_that_of_the_smoothed_shade():
    slice_ = np.random.default_rng(0).uniform(size=(SIDE, SIDE)).astype(np.float32)
    facts = SliceFacts.of(slice_, slice_)
    assert sorted(np.unique(facts.rank * SIDE**2).round().astype(int)) == list(range(SIDE**2))


def test_all_regions_of_a_slice_have_finite_numbers():
    image, _ = head(64, 64)
    found = slice_regions(image.array[0, 0].astype(np.float32) / 255)
    assert len(found.regions) > 5 and np.isfinite(found.features).all()
