"""What DiffuGTS is held against: each baseline does what its name says."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.unseen.baselines import (
    Autoencoder,
    above_otsu,
    body,
    family,
    shade_classes,
    shape_and_shade,
)
from Testing.Benchmarks.unseen.stroke import as_scribble, middle_stroke

BACKBONE = {"kind": "compact", "name": "compact"}
INTENSITIES = {"hounsfield": [-160, 240], "percentiles": [0.5, 99.5]}


def variance_within(values: np.ndarray, groups: list[np.ndarray]) -> float:
    return float(sum(group.size * group.var() for group in groups if group.size))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=20, max_size=60), st.integers(0, 2**31))
def test_otsu_is_the_division_with_the_least_variance_within(shades: list[int], seed: int) -> None:
    values = np.array(shades, np.float32) / 60
    inside = above_otsu(values)
    if np.ptp(values) == 0:
        assert not inside.any()
        return
    found = variance_within(values, [values[inside], values[~inside]])
    tried = [
        variance_within(values, [values[values > level], values[values <= level]])
        for level in np.unique(values)[:-1]
    ]
    assert found <= min(tried) * (1 + 1e-5) + 1e-9


def test_four_shades_are_the_four_that_were_mixed() -> None:
    rng = np.random.default_rng(0)
    which = rng.integers(0, 4, (60, 70))
    middles = np.array([0.05, 0.3, 0.6, 0.95])
    values = (middles[which] + 0.01 * rng.standard_normal(which.shape)).astype(np.float32)
    classes = shade_classes(values)
    assert len(classes) == 4
    for number, inside in enumerate(classes):
        assert np.array_equal(inside, which == number)


def test_four_shades_have_the_least_variance_within() -> None:
    """Against trying every three levels between the values that there are."""
    rng = np.random.default_rng(1)
    values = np.round(rng.beta(0.7, 1.2, 400) * 20).astype(np.float32) / 20
    assert np.ptp(values) == 1
    found = variance_within(values, [values[inside] for inside in shade_classes(values)])
    levels = np.unique(values)[:-1]
    best = min(
        variance_within(values, [values[np.digitize(values, cut, right=True) == n]
                                 for n in range(4)])
        for cut in combinations(levels, 3)
    )  # fmt: skip
    assert found == pytest.approx(best, rel=1e-4)


def test_a_picture_of_hardly_any_shades_has_no_classes() -> None:
    flat = np.full((9, 9), 0.4, np.float32)
    assert not any(inside.any() for inside in shade_classes(flat))
    assert not above_otsu(flat).any()


def test_the_body_is_all_but_air_with_its_holes() -> None:
    picture = np.zeros((30, 40), np.float32)
    picture[5:25, 10:30] = 0.5
    expected = picture > 0
    picture[10:14, 15:19] = 0.0  # gas inside
    assert np.array_equal(body(picture), expected)


def test_every_member_of_every_family_is_an_outline_of_the_image() -> None:
    rng = np.random.default_rng(0)
    image = Image(rng.integers(0, 255, (1, 1, 300, 400)).astype(np.uint8), Geometry((1, 300, 400)))
    found = shape_and_shade(image)
    assert {family(name) for name in found} == {
        "Otsu", "4-class Otsu", "ellipse in the middle", "whole body"
    }  # fmt: skip
    for outline in found.values():
        assert outline.shape == (1, 300, 400) and outline.dtype == bool
    shades = [outline for name, outline in found.items() if family(name) == "4-class Otsu"]
    assert len(shades) == 4
    # An ellipse with 0.6 of the half axes covers pi / 4 of 0.36 of the picture.
    share = found["ellipse in the middle, 0.6 of the sides"].mean()
    assert share == pytest.approx(np.pi / 4 * 0.36, rel=0.01)


def a_model() -> ModelEntry:
    settings_ = {"backbone": BACKBONE, "grid": {"side": 96}, "intensities": INTENSITIES}
    return ModelEntry(**_plain_card(settings_))


def _plain_card(card: dict[str, object]) -> dict[str, object]:
    from dataclasses import MISSING, fields

    given_ = {"method": "diffugts", "name": "toy", "settings": card, "folder": Path()}
    filler = {
        field.name: "" for field in fields(ModelEntry)
        if field.default is MISSING and field.default_factory is MISSING
    }  # fmt: skip
    return {**filler, **given_}


def test_what_the_autoencoder_misses_is_image_less_reconstruction() -> None:
    missing = Autoencoder(a_model(), "cpu")
    picture = torch.rand(1, 1, 1, 64, 96, generator=torch.Generator().manual_seed(0))
    backbone = open_generative(BACKBONE, "cpu")
    with torch.no_grad():
        drawn = backbone.decode(backbone.encode(picture[:, :, 0]).latent)
    expected = (picture[0, 0] - drawn[:, 0]).abs()
    assert torch.allclose(missing.residual(picture), expected, atol=1e-6)
    assert missing.residual(picture).shape == (1, 64, 96)


def test_the_autoencoder_misses_what_it_cannot_draw() -> None:
    """Noise of single pixels does not go through a latent; a smooth shade does."""
    rows, columns = np.indices((120, 180))
    values = 60 + 80 * columns / 180
    noisy = (rows > 40) & (rows < 80) & (columns > 60) & (columns < 120)
    values[noisy] += np.random.default_rng(0).choice([-60, 60], noisy.sum())
    image = Image(values.clip(0, 255).astype(np.uint8)[None, None], Geometry((1, 120, 180)))
    found = Autoencoder(a_model(), "cpu").missed(image)
    assert found.shape == (1, 120, 180)
    assert found[0][noisy].mean() > 10 * max(found[0][~noisy].mean(), 1e-6)


def bar(rows: slice, columns: slice) -> np.ndarray:
    inside = np.zeros((1, 50, 60), bool)
    inside[0, rows, columns] = True
    return inside


def test_a_stroke_runs_half_as_long_through_the_middle() -> None:
    drawn = middle_stroke(bar(slice(20, 27), slice(10, 50)))
    row, column = np.nonzero(drawn[0])
    assert set(row) == {23}
    assert column.max() - column.min() == pytest.approx(20, abs=1)
    assert drawn.sum() == len(np.unique(column))  # one pixel wide


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, np.pi), st.integers(1, 12))
def test_a_stroke_is_never_empty_and_never_outside(seed: int, angle: float, wide: int) -> None:
    rows, columns = np.indices((50, 60)).astype(float)
    along = (rows - 25) * np.cos(angle) + (columns - 30) * np.sin(angle)
    across = (rows - 25) * np.sin(angle) - (columns - 30) * np.cos(angle)
    inside = ((along / 20) ** 2 + (across / wide) ** 2 <= 1)[np.newaxis]
    inside &= np.random.default_rng(seed).random(inside.shape) > 0.1
    if not inside.any():
        return
    drawn = middle_stroke(inside)
    assert drawn.any() and not (drawn & ~inside).any()
    assert np.array_equal(drawn, middle_stroke(inside))


@pytest.mark.parametrize("pixels", [1, 2])
def test_a_stroke_in_an_object_of_single_pixels(pixels: int) -> None:
    drawn = middle_stroke(bar(slice(4, 5), slice(7, 7 + pixels)))
    assert drawn.any() and drawn.sum() <= pixels


def test_a_stroke_as_a_prompt() -> None:
    geometry = Geometry((1, 50, 60))
    stroke = middle_stroke(bar(slice(20, 30), slice(10, 50)))
    scribble = as_scribble(stroke, geometry)
    assert np.array_equal(scribble.array == 1, stroke)
    assert scribble.geometry == geometry
