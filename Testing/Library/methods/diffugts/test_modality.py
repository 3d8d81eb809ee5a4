import numpy as np
import pytest

from DiffusionSegLib.methods.diffugts.modality import MODALITIES, Modality, choose_modality
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image


def image(low, high, dtype=np.int16, name="image"):
    array = np.linspace(low, high, 64).astype(dtype).reshape(1, 1, 8, 8)
    return Image(array, Geometry((1, 8, 8)), (name,))


@pytest.mark.parametrize(
    ("given", "name", "hounsfield"),
    [
        (image(-1000, 1500), "ct", True),
        (image(-1000, 1500, np.float32), "ct", True),
        (image(-3024, 3071), "ct", True),  # with a scanner's padding
        (image(0, 900), "mr", False),
        (image(-112, 1372, name="CT"), "ct", True),  # a part of a leg, without air
        (image(-50, 900), "mr", False),  # an MR filtered or resampled
        (image(0, 1, np.float32), "mr", False),
        (image(0, 4095, np.uint16), "mr", False),
        (image(0, 255, np.uint8), "", False),
        (image(0, 255, np.uint8, "T1"), "mr", False),
        (image(0, 900, name="FLAIR"), "mr", False),
        (image(-1e9, 1e9, np.float32), "mr", False),
        (image(0, 255, np.uint8, "CT"), "ct", False),
    ],
)
def test_what_an_image_says_of_itself(given, name, hounsfield):
    assert choose_modality(given) == Modality(name, hounsfield)


@pytest.mark.parametrize(
    "given", [image(0, 4095, np.uint16), image(-3, 3, np.float32), image(24, 3000)]
)
def test_ct_that_is_not_in_hounsfield_units_is_said(given):
    for found in (
        choose_modality(given, "ct"),
        choose_modality(Image(given.array, given.geometry, ("CT",))),
    ):
        assert (found.name, found.hounsfield) == ("ct", False)
        assert "not in Hounsfield units" in found.remark and "percentiles" in found.remark
        assert f"{given.array.min():g} to {given.array.max():g}" in found.remark


def test_mr_given_as_ct_is_said():
    """Its own percentiles are used: it would be one shade of gray between two Hounsfield units."""
    found = choose_modality(image(0, 900), "ct")
    assert not found.hounsfield and "or it is no CT" in found.remark


def test_ct_given_as_mr_is_said():
    found = choose_modality(image(-1000, 1500), "mr")
    assert (found.name, found.hounsfield) == ("mr", False)
    assert "look like a CT in Hounsfield units" in found.remark and "choose CT" in found.remark


def test_a_picture_of_8_bits_is_what_the_user_says():
    given = image(0, 255, np.uint8)
    assert choose_modality(given, "ct") == Modality("ct", False)
    assert choose_modality(given, "mr") == Modality("mr", False)
    assert MODALITIES == ("auto", "ct", "mr")


def test_truth_values_are_no_scan():
    array = np.zeros((1, 1, 8, 8), bool)
    array[0, 0, 2] = True
    assert not choose_modality(Image(array, Geometry((1, 8, 8)))).hounsfield
