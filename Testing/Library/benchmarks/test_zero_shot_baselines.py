"""Every baseline outlines what is obvious, and hears what clicks say."""

import numpy as np
import pytest

from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from Testing.Benchmarks.zero_shot.baselines import BASELINES, RIVALS
from Testing.Benchmarks.zero_shot.cases import ZeroShotCase
from Testing.Benchmarks.zero_shot.clicking import click_case
from Testing.Benchmarks.zero_shot.seeds import SeedRule, seeds_of
from Testing.Benchmarks.zero_shot.tidying import tidied
from Testing.Benchmarks.zero_shot.working import Working


def disc(rows: int, columns: int, middle: tuple[float, float], radius: float) -> np.ndarray:
    down, across = np.indices((rows, columns))
    return np.hypot(down - middle[0], across - middle[1]) <= radius


def picture(inside: np.ndarray, color: bool, noise: float = 6) -> Image:
    rng = np.random.default_rng(0)
    values = np.where(inside, 180, 80)[np.newaxis, np.newaxis].astype(float)
    if color:
        values = np.concatenate([values, 255 - values, values], axis=0)
    values = np.clip(values + noise * rng.standard_normal(values.shape), 0, 255)
    names = RGB_NAMES if color else ("image",)
    return Image(values.astype(np.uint8), Geometry((1, *inside.shape)), names)


@pytest.mark.parametrize("color", [False, True], ids=["gray", "color"])
@pytest.mark.parametrize("name", RIVALS)
def test_one_click_outlines_an_obvious_disc(name: str, color: bool) -> None:
    inside = disc(150, 200, (70, 110), 26)
    case = ZeroShotCase("disc", picture(inside, color), inside[np.newaxis], "disc")
    clicked = click_case(BASELINES[name](), case)
    assert clicked.dice[0] > 0.9


@pytest.mark.parametrize("name", BASELINES)
def test_larger_pictures_are_reduced_and_answered_at_full_size(name: str) -> None:
    inside = disc(600, 401, (300, 200), 70)
    outliner = BASELINES[name]()
    outliner.set_image(picture(inside, color=False))
    found = outliner.outline([Click((0, 300, 200), True)])
    assert found.shape == (1, 600, 401) and found.dtype == bool
    assert metrics.dice(found, inside[np.newaxis]) > (0.9 if name in RIVALS else 0.5)


@pytest.mark.parametrize("name", RIVALS)
def test_a_click_on_what_is_wrong_takes_it_away(name: str) -> None:
    wanted, beside = disc(120, 160, (60, 55), 22), disc(120, 160, (60, 105), 22)
    bridge = np.zeros_like(wanted)
    bridge[56:64, 50:110] = True  # leads from one to the other
    image = picture(wanted | beside | bridge, color=False)
    outliner = BASELINES[name]()
    outliner.set_image(image)
    both = [Click((0, 60, 55), True), Click((0, 60, 105), True)]
    assert outliner.outline(both)[0, 60, 105]
    one = [both[0], Click((0, 60, 105), False)]
    found = outliner.outline(one)
    assert found[0, 60, 55] and not found[0, 60, 105]
    assert metrics.dice(found, wanted[np.newaxis]) > 0.7


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 5)])
def test_tiny_and_even_pictures_have_an_answer(name: str, shape: tuple[int, int]) -> None:
    image = Image(np.full((1, 1, *shape), 3, np.float32), Geometry((1, *shape)))
    outliner = BASELINES[name]()
    outliner.set_image(image)
    assert outliner.outline([Click((0, 0, 0), True)]).shape == (1, *shape)


def test_a_click_keeps_its_place_when_the_picture_is_reduced() -> None:
    image = Image(np.zeros((1, 1, 100, 200), np.uint8), Geometry((1, 100, 200)))
    working = Working.of(image, 50)
    assert working.shape == (25, 50)
    assert working.place(Click((0, 1, 6), True)) == (-0.125, 1.125)
    assert working.pixel(Click((0, 99, 199), True)) == (24, 49)
    assert working.to_full(np.ones((25, 50))).shape == (1, 100, 200)


def test_intensities_go_by_what_they_are() -> None:
    hounsfield = np.linspace(-1000, 1000, 100, dtype=np.float32).reshape(1, 1, 10, 10)
    ct = Working.of(Image(hounsfield, Geometry((1, 10, 10)), ("ct",)), 512).pixels.ravel()
    mr = Working.of(Image(hounsfield, Geometry((1, 10, 10)), ("mr",)), 512).pixels.ravel()
    assert ct[hounsfield.ravel() < -160].max() == 0 and ct[hounsfield.ravel() > 240].min() == 1
    assert 0.45 < mr[49] < mr[50] < 0.55
    bytes_ = Image(np.full((1, 1, 4, 4), 51, np.uint8), Geometry((1, 4, 4)))
    assert np.allclose(Working.of(bytes_, 512).pixels, 0.2)


def a_working(rows: int = 41, columns: int = 41) -> Working:
    return Working(np.zeros((rows, columns, 1), np.float32), (rows, columns))


def test_seeds_are_discs_and_the_border_until_the_user_excludes_something() -> None:
    working, rule = a_working(), SeedRule(radius=0.05, ring="until")
    first = Click((0, 20, 20), True)
    seeds = seeds_of(working, [first], rule)
    assert np.array_equal(seeds.include, disc(41, 41, (20, 20), 0.05 * working.diagonal))
    assert seeds.exclude.sum() == 160 and seeds.exclude[0].all()
    later = seeds_of(working, [first, Click((0, 30, 30), False)], rule)
    assert np.array_equal(later.exclude, disc(41, 41, (30, 30), 0.05 * working.diagonal))
    always = seeds_of(working, [first, Click((0, 30, 30), False)], SeedRule(0.05, ring="always"))
    assert always.exclude[0].all() and always.exclude[30, 30]


def test_the_border_is_no_background_where_the_object_was_clicked() -> None:
    seeds = seeds_of(a_working(), [Click((0, 1, 20), True)], SeedRule(radius=0.05))
    assert seeds.include[0, 20] and not seeds.exclude[0, 20] and seeds.exclude[0, 0]


def test_between_two_close_clicks_the_nearer_decides_and_beyond_the_reach_is_background() -> None:
    clicks = [Click((0, 20, 18), True), Click((0, 20, 21), False)]
    seeds = seeds_of(a_working(), clicks, SeedRule(radius=0.1, reach=0.2))
    assert seeds.include[20, 18] and seeds.include[20, 19] and not seeds.include[20, 20]
    assert seeds.exclude[20, 21] and not (seeds.include & seeds.exclude).any()
    assert seeds.exclude[20, 2] and not seeds.exclude[20, 10]


def test_tidying_keeps_what_was_clicked_and_fills_holes() -> None:
    inside = disc(41, 41, (20, 20), 10) & ~disc(41, 41, (20, 20), 3)
    inside |= disc(41, 41, (4, 4), 2)
    working = a_working()
    rim = Click((0, 20, 13), True)
    assert np.array_equal(tidied(inside, working, [rim]), disc(41, 41, (20, 20), 10))
    hole = Click((0, 20, 20), False)
    kept = disc(41, 41, (20, 20), 10) & ~disc(41, 41, (20, 20), 3)
    assert np.array_equal(tidied(inside, working, [rim, hole]), kept)
