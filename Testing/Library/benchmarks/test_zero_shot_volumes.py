"""The volume benchmark: which slices it compares, how it clicks, what it adds up."""

import argparse

import numpy as np
import pytest

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks import zero_shot_volumes as benchmark

GRID = Geometry((6, 16, 16), (1.0, 1.0, 2.0))
TRUTH = np.zeros(GRID.shape_kji, dtype=bool)
TRUTH[1:5, 4:12, 4:12] = True
IMAGE = Image(TRUTH[None].astype(np.float32), GRID)


class Cubes:
    """A cube of 5 voxels' side around each click; a slice alone is outlined exactly."""

    def __init__(self):
        self.images, self.clicks = [], []

    def set_image(self, image):
        self.images.append(image)

    def outline(self, clicks):
        self.clicks.append(len(clicks))
        image = self.images[-1]
        if image.dimension == 2:
            return image.array[0] > 0.5
        found = np.zeros(image.geometry.shape_kji, dtype=bool)
        for click in clicks:
            part = tuple(slice(max(0, place - 2), place + 3) for place in click.position_kji)
            found[part] = click.include
        return found


def test_slices_with_the_object_are_compared_or_a_few_of_them():
    assert benchmark.compared_slices(TRUTH, None) == [1, 2, 3, 4]
    assert benchmark.compared_slices(TRUTH, 2) == [1, 4]
    assert benchmark.compared_slices(TRUTH, 9) == [1, 2, 3, 4]


def test_clicks_are_made_one_after_the_other_and_end_with_an_exact_outline():
    outliner = Cubes()
    found = benchmark.clicked(outliner, IMAGE, TRUTH)
    assert outliner.clicks == [1, 2, 3] and len(found) == 2
    assert found[1].sum() > found[0].sum() == 125
    flat = Image(IMAGE.array[:, 2:3], GRID.crop((slice(2, 3), slice(None), slice(None))))
    outliner = Cubes()
    one, three = benchmark.clicked(outliner, flat, TRUTH[2:3])
    assert outliner.clicks == [1] and np.array_equal(one, three)
    assert np.array_equal(one, TRUTH[2:3])


def test_a_case_compares_like_with_like():
    args = argparse.Namespace(slices=None, device="cpu")
    measured = benchmark._measured(Cubes(), "cube", IMAGE, TRUTH, args)
    assert measured.slicewise == (1.0, 1.0) and measured.slices == 4
    first = benchmark.clicked(Cubes(), IMAGE, TRUTH)[0]
    by_hand = 2 * (first & TRUTH).sum() / (first.sum() + TRUTH.sum())
    assert measured.volume[0] == pytest.approx(by_hand)
    assert measured.within[0] >= measured.volume[0]


def test_the_table_shows_means():
    one = benchmark.Measured("a", (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), 4, 2.0)
    two = benchmark.Measured("b", (0.7, 0.8), (0.8, 0.9), (0.9, 1.0), 8, 4.0)
    text = "\n".join(benchmark._lines("Thing", [one, two]))
    assert "2 cases, 3 s each" in text and "on each of 6 slices" in text
    for pair in ("0.600  0.700", "0.700  0.800", "0.800  0.900"):
        assert pair in text


def test_a_missing_folder_is_one_sentence(tmp_path, capsys):
    assert benchmark.main(["--data", str(tmp_path), "--sets", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
