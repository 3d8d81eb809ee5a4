import numpy as np
import pytest
from PIL import Image as Pillow

from DiffusionSegLib.evaluation import picture

SIZE = 120


def outlined(mask, width=2.0):
    ground = Pillow.new("RGB", (SIZE, SIZE), (90, 90, 90))
    return np.asarray(picture.draw_outline(ground, mask, (255, 0, 0), width)).astype(int)


def square():
    mask = np.zeros((12, 12), bool)
    mask[3:9, 3:9] = True
    return mask


def test_the_line_runs_on_the_border_and_nowhere_else():
    pixels = outlined(square())
    red = (pixels[..., 0] > 200) & (pixels[..., 1] < 60)
    rows, columns = np.nonzero(red)
    # The square spans 30 to 90 pixels.
    assert abs(rows.min() - 30) <= 2
    assert abs(rows.max() - 90) <= 2
    assert abs(columns.min() - 30) <= 2
    assert (pixels[55:65, 55:65] == 90).all()
    assert (pixels[:20] == 90).all()
    assert red[60].sum() == pytest.approx(4, abs=2)


def test_the_line_is_smooth_not_made_of_whole_pixels():
    disc = np.hypot(*np.meshgrid(np.arange(24) - 12, np.arange(24) - 12)) < 8
    pixels = outlined(disc)
    shades = np.unique(pixels[..., 0])
    assert len(shades) > 10


def test_an_object_cut_by_the_frame_is_closed_along_it():
    pixels = outlined(np.ones((4, 4), bool))
    assert (pixels[0, 10:-10, 0] > 150).all()
    assert (pixels[60, 60] == 90).all()


def test_nothing_to_draw_changes_nothing():
    assert (outlined(np.zeros((5, 5), bool)) == 90).all()


def test_ct_is_shown_in_a_soft_tissue_window_and_other_images_by_percentiles():
    ct = np.array([-1000, -160, 40, 240, 3000], dtype=np.int16)
    assert picture.display_range(ct) == picture.CT_WINDOW_HU
    assert picture.grey(ct[None], picture.CT_WINDOW_HU)[0, :, 0].tolist() == [0, 0, 128, 255, 255]
    mr = np.append(np.linspace(0, 100, 10_000), 1e6)
    low, high = picture.display_range(mr)
    assert low == pytest.approx(0.5, abs=0.1)
    assert high == pytest.approx(99.5, abs=0.1)
    assert picture.display_range(np.full(10, 7.0)) == (7.0, 8.0)


def lightness(name):
    ramp = picture.colored(np.linspace(0, 1, 51)[None], name)[0].astype(float)
    return ramp @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("name", sorted(set(picture.COLOR_MAPS) - {"difference"}))
def test_a_colour_map_gets_lighter_all_the_way(name):
    assert (np.diff(lightness(name)) > 0).all()


def test_a_difference_is_darkest_where_there_is_none():
    assert (np.diff(lightness("difference")[:26]) < 0).all()
    assert (np.diff(lightness("difference")[25:]) > 0).all()


def test_pixels_are_drawn_square():
    assert picture.size_for((10, 40), (5.0, 1.0), 400) == (320, 400)
    drawn = picture.enlarged(np.zeros((10, 40, 3), np.uint8), (5.0, 1.0), 400)
    assert drawn.size == (320, 400)


@pytest.mark.parametrize(("pixels_per_mm", "length"), [(2.0, 50), (10.0, 10), (40.0, 2)])
def test_the_scale_bar_has_a_round_length(pixels_per_mm, length):
    drawn = Pillow.new("RGB", (400, 300), (90, 90, 90))
    picture.draw_scale_bar(drawn, pixels_per_mm)
    row = np.asarray(drawn)[300 - 14]
    white = np.nonzero((row == 255).all(axis=1))[0]
    assert len(white) == pytest.approx(length * pixels_per_mm, abs=2)


def test_pictures_beside_each_other():
    row = picture.beside([Pillow.new("RGB", (30, 20)), Pillow.new("RGB", (10, 50))], gap=5)
    assert row.size == (45, 50)
