import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.diffugts.checks import check_image
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image


def image(channels, *shape, names=()):
    array = np.arange(channels * np.prod(shape), dtype=np.float32).reshape(channels, *shape)
    return Image(array, Geometry(shape), names)


COLORS = np.zeros((3, 1, 20, 20), np.uint8)
COLORS[0, :, 5:9], COLORS[1, :, :5], COLORS[1, :, 9:] = 90, 90, 90
RED_ON_GREEN = Image(COLORS, Geometry((1, 20, 20)), ("red", "green", "blue"))


@pytest.mark.parametrize(
    ("given", "dims", "word"),
    [
        (image(2, 1, 20, 20, names=("T1", "T2")), 2, r"2 \(T1, T2\); give one of them"),
        (image(1, 1, 20, 20), 3, "single slice; open the whole volume"),
        (image(1, 1, 1, 400), 2, "1 x 1 x 400"),
        (image(1, 1, 7, 400), 2, "at least 8 along two sides"),
        (image(1, 7, 7, 60), 3, "7 x 7 x 60"),
        (Image(np.full((1, 1, 20, 20), -3.5), Geometry((1, 20, 20))), 2, "are -3.5"),
        (RED_ON_GREEN, 2, "are 30 in gray"),
    ],
)
def test_what_cannot_be_used_is_said(given, dims, word):
    with pytest.raises(InputError, match=word) as error:
        check_image(given, dims, "toy")
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "dims"),
    [
        (image(3, 1, 20, 20, names=("red", "green", "blue")), 2),
        (image(1, 1, 8, 8), 2),
        (image(1, 8, 1, 8), 2),
        (image(1, 2, 8, 8), 3),
    ],
)
def test_the_smallest_that_can_be_used(given, dims):
    check_image(given, dims, "toy")
