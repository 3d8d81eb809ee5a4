import dataclasses

import pytest

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.cdal.predictor import CdalPredictor
from DiffusionSegLib.methods.cdal.recipe import Recipe
from Testing.Library.toy_model import MODELS, PLANE, VOLUME, write_toy

RULE = {"kind": "percentile", "low": 1, "high": 99}


@pytest.mark.parametrize("name", MODELS)
def test_a_card_becomes_objects(tmp_path, name):
    recipe = Recipe.of(write_toy(tmp_path, name))
    inputs, labels, grid = MODELS[name]
    assert recipe.generator.mask_channels == (1 if labels == 1 else labels + 1)
    assert recipe.grid.window_kji == tuple(grid["window_kji"])
    assert (recipe.noise_steps, recipe.samples, recipe.target) == (2, 3, "the toy")
    assert len(recipe.intensity) == recipe.generator.image_channels >= len(inputs)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"grid": {**VOLUME, "window_kji": [8, 16]}}, "three sizes"),
        ({"grid": {**VOLUME, "window_kji": [8, 16, 15]}}, "multiples of 2"),
        ({"grid": {**VOLUME, "window_kji": [0, 16, 16]}}, "sizes|window"),
        ({"grid": PLANE}, "dims"),
        ({"grid": {**VOLUME, "kind": "cube"}}, "cube"),
        ({"grid": {"kind": "spacing", "window_kji": [8, 16, 16]}}, "spacing_mm"),
        ({"grid": "fine"}, "unusable settings"),
        ({"intensity": []}, "one rule per channel"),
        ({"intensity": [RULE, RULE]}, "one rule per channel"),
        ({"intensity": [{**RULE, "low": 99}]}, "below high"),
        ({"intensity": 3}, "unusable settings"),
        ({"noise_steps": 0}, "positive"),
        ({"samples": -1}, "positive"),
        ({"samples": 1e999}, "infinity"),
        ({"noise_steps": 10**30}, "at most 1000"),
        ({"grid": {**VOLUME, "window_kji": [8, 16, 10**30]}}, "three sizes"),
        ({"generator": {"condition_groups": 0}}, "condition_groups"),
        ({"generator": {"condition_groups": 0.5}}, "condition_groups"),
        ({"presence": {"absent": 0.1}}, "found"),
        ({"presence": []}, "unusable settings"),
        ({"generator": {"width": 6}}, "multiple of 4"),
        ({"generator": {"wide": 8}}, "wide"),
        ({"generator": {"width": "8"}}, "unusable settings"),
        ({"generator": {"dims": 3, "image_channels": 2}}, "image_channels do not fit"),
        ({"generator": {"dims": 3, "mask_channels": 3}}, "mask_channels do not fit"),
    ],
)
def test_a_card_that_cannot_work_is_a_sentence(tmp_path, change, word):
    entry = write_toy(tmp_path, "volume", **change)
    with pytest.raises(ModelError, match=f"The card of the model cdal/volume has .*({word})"):
        Recipe.of(entry)


@pytest.mark.parametrize(
    "key", ["generator", "noise_steps", "grid", "intensity", "samples", "presence", "target"]
)
def test_a_missing_setting_is_named(tmp_path, key):
    entry = write_toy(tmp_path, "gray")
    settings = {name: value for name, value in entry.settings.items() if name != key}
    with pytest.raises(ModelError, match=key):
        Recipe.of(dataclasses.replace(entry, settings=settings))


@pytest.mark.parametrize(
    "change",
    [{"width": 16}, {"condition_groups": 3}, {"channel_multipliers": [1, 1]}, {"latent_size": 5}],
)
def test_weights_of_another_network_are_a_sentence(tmp_path, change):
    entry = write_toy(tmp_path, "gray")
    generator = {**entry.settings["generator"], **change}
    entry = dataclasses.replace(entry, settings={**entry.settings, "generator": generator})
    with pytest.raises(ModelError, match="do not fit the network that its card describes") as error:
        CdalPredictor.load(entry, "cpu")
    assert "\n" not in str(error.value)
