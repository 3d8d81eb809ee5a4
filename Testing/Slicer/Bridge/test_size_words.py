"""Sizes as a reader wants them."""

from __future__ import annotations

import pytest

from DiffusionSegBridge.size_words import sizeInWords
from DiffusionSegLib.nouns.geometry import Geometry


@pytest.mark.parametrize(
    ("voxels", "words"),
    [
        (0, "0.00 ml"),
        (123, "1.23 ml"),
        (999, "9.99 ml"),
        (1234, "12.3 ml"),
        (12345, "123 ml"),
        (114436, "1144 ml"),
    ],
)
def test_three_digits_of_millilitres(voxels: int, words: str) -> None:
    assert sizeInWords(voxels, Geometry((50, 60, 70), (1.0, 2.0, 5.0))) == words


def test_a_photograph_has_no_volume() -> None:
    words = sizeInWords(1500, Geometry((1, 100, 150), (0.3, 0.3, 7.0)))
    assert words == "10.0 % of the picture (1,500 pixels)"
