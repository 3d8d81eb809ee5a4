"""A card that cannot work is told when a run is planned, not only when the network is opened."""

import numpy as np
import pytest

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.cdal.forecast import cdal_economies, cdal_forecast
from DiffusionSegLib.methods.cdal.recipe import Recipe
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.forecast import RunWish
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.toy_model import VOLUME, write_toy

IMAGE = Image(np.zeros((1, 10, 20, 18), np.int16), Geometry((10, 20, 18)))
WISH = RunWish(IMAGE, None, Prompt(), RunOptions())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"noise_steps": "many"}, "many"),
        ({"noise_steps": [[[]]]}, "list"),
        ({"samples": None}, "NoneType"),
        ({"grid": {**VOLUME, "spacing_mm": "1mm"}}, "spacing_mm needs three lengths"),
        ({"grid": {**VOLUME, "spacing_mm": [1, 1, 0]}}, "spacing_mm needs three lengths"),
        ({"grid": {**VOLUME, "spacing_mm": [1, 1, float("nan")]}}, "spacing_mm needs three"),
        ({"grid": {**VOLUME, "window_kji": "8x8"}}, "window_kji needs three sizes"),
        ({"grid": {**VOLUME, "window_kji": [8, 16.0, 16]}}, "window_kji needs three sizes"),
        ({"grid": {**VOLUME, "largest_kji": [[[]]]}}, "largest_kji needs three sizes"),
        ({"grid": None}, "NoneType"),
    ],
)
def test_unusable_settings_are_a_sentence(tmp_path, change, words):
    entry = write_toy(tmp_path, "volume", **change)
    for told in (lambda: cdal_forecast(entry, WISH), lambda: Recipe.of(entry)):
        with pytest.raises(ModelError, match=f"cdal/volume has unusable settings: .*{words}"):
            told()
    if "grid" in change:
        with pytest.raises(ModelError, match="unusable settings"):
            cdal_economies(entry)
