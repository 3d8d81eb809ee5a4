"""A map, a twin and a difference as pictures: which value has which color, and where it lies."""

import numpy as np
import pytest

from DiffusionSegLib.evaluation.explaining import explaining_pictures
from DiffusionSegLib.evaluation.picture import COLOR_MAPS, CT_WINDOW_HU
from DiffusionSegLib.evaluation.sheet import orientation
from DiffusionSegLib.evaluation.slices import best_slice
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

FINE = Geometry((1, 40, 60), (1.0, 1.0, 3.0), (5.0, -7.0, 11.0))
COARSE = FINE.with_shape((1, 20, 30))
SPOT = (slice(5, 10), slice(20, 28))  # rows and columns of the coarse grid


def a_proposal(**auxiliary: Image) -> Proposal:
    probability = Image(np.zeros((1, 1, 40, 60), np.float32), FINE)
    verdict = PresenceVerdict(Verdict.FOUND, 0.9, "There.")
    named = {name.replace("_", " "): image for name, image in auxiliary.items()}
    return Proposal(
        probability, (label_for(1, "x"),), verdict, Provenance("toy", "toy/x"), auxiliary=named
    )


def on_coarse(background: float, spot: float) -> Image:
    array = np.full((1, 1, 20, 30), background, np.float32)
    array[0, 0][SPOT] = spot
    return Image(array, COARSE)


def ct() -> Image:
    array = np.full((1, 1, 40, 60), 40, np.int16)
    array[0, 0, :, :4] = -1000
    return Image(array, FINE, ("ct",))


def drawn(image: Image, **auxiliary: Image) -> dict[str, object]:
    proposal = a_proposal(**auxiliary)
    turned = orientation(image)
    shown = best_slice(turned, turned.apply(image.array[0]) > 0, "picture")
    found = explaining_pictures(proposal, image, turned, shown, longest=240)
    return {one.name: one for one in found}


def colors(one: object) -> tuple[np.ndarray, np.ndarray]:
    """In the middle of the spot and far from it; a picture of 240 x 160 for 60 x 40 pixels."""
    pixels = np.asarray(one.picture)  # type: ignore[attr-defined]
    assert pixels.shape == (160, 240, 3)
    row, column = (8 * (part.start + part.stop) // 2 for part in SPOT)
    return pixels[row, column].astype(int), pixels[140, 60].astype(int)


def test_a_fraction_goes_from_dark_to_light() -> None:
    one = drawn(ct(), anomaly_map=on_coarse(0.0, 1.0))["anomaly map"]
    spot, beside = colors(one)
    assert np.abs(spot - COLOR_MAPS["inferno"][-1]).max() <= 3
    assert np.abs(beside - COLOR_MAPS["inferno"][0]).max() <= 3
    assert (one.color_map, one.low, one.high) == ("inferno", 0.0, 1.0)


def test_a_twin_is_as_gray_as_the_image_is_drawn() -> None:
    low, high = CT_WINDOW_HU
    one = drawn(ct(), **{"pseudo-healthy": on_coarse(low, (low + high) / 2)})["pseudo-healthy"]
    spot, beside = colors(one)
    assert np.abs(spot - 128).max() <= 2
    assert beside.max() <= 2
    assert one.color_map == ""


@pytest.mark.parametrize(("value", "end"), [(70.0, -1), (-70.0, 0)])
def test_a_difference_has_a_color_for_each_sign(value: float, end: int) -> None:
    one = drawn(ct(), difference=on_coarse(0.0, value))["difference"]
    spot, beside = colors(one)
    assert np.abs(spot - COLOR_MAPS["difference"][end]).max() <= 3
    assert np.abs(beside - COLOR_MAPS["difference"][2]).max() <= 3
    assert one.high == -one.low == pytest.approx(70.0)


def test_nothing_differs_outside_of_what_was_drawn_anew() -> None:
    part = on_coarse(9.0, 9.0).crop((slice(0, 1), slice(0, 20), slice(15, 30)))
    one = drawn(ct(), difference=part)["difference"]
    assert np.abs(np.asarray(one.picture)[100, 40].astype(int) - 13).max() <= 2


def test_what_has_no_known_meaning_is_not_drawn() -> None:
    colored = Image(np.zeros((3, 1, 20, 30), np.uint8), COARSE, RGB_NAMES)
    assert drawn(ct(), regions=on_coarse(0, 1), map=colored) == {}
