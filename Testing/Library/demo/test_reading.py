from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.demo.reading import read_sample, sample_dices
from DiffusionSegLib.demo.samples import load_samples, samples_folder
from DiffusionSegLib.demo.zero_shot import zero_shot_samples

SAMPLES = load_samples(samples_folder())


def find(name, samples=SAMPLES):
    sample = next(one for one in samples if one.id == name)
    return sample, ModelStore().find(sample.method, sample.model)


def test_channels_have_the_names_that_the_model_knows_them_by():
    sample, model = find("STS_021")
    image, truth, prompt = read_sample(sample, model)
    assert image.channel_names == tuple(part.name for part in model.inputs)
    assert truth.array.shape == image.array.shape[1:]
    assert not prompt.kinds


def test_what_is_said_is_placed_by_the_known_outline():
    sample, model = find("STS_049_box", zero_shot_samples(SAMPLES))
    image, truth, prompt = read_sample(sample, model)
    assert image.dimension == 2 and prompt.kinds == {"boxes"}
    assert truth.array.any()


def test_dice_of_each_label():
    sample, model = find("hippocampus_033")
    _, truth, _ = read_sample(sample, model)
    same = dict(sample_dices(model.labels, truth, truth))
    assert same == {label.name: 1.0 for label in model.labels}
    half = replace(truth, array=np.where(truth.array == 1, truth.array, 0))
    first, second = (value for _, value in sample_dices(model.labels, half, truth))
    assert (first, second) == pytest.approx((1.0, 0.0))
