"""Every shipped sample with its bundled model: a real outline of a real image, or a failure.

A sample without its model, or without a floor, fails: nothing is left out in silence.
"""

import numpy as np
import pytest

from DiffusionSegLib.demo.samples import load_samples, samples_folder
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.session import Session

SAMPLES = {sample.id: sample for sample in load_samples(samples_folder())}

# Dice of all labels together, about 0.05 below what the bundled model was measured to reach.
FLOORS = {
    "hippocampus_033": 0.85,
    "hippocampus_039": 0.87,
    "hippocampus_067": 0.87,
    "STS_021": 0.68,
    "STS_049": 0.62,
    "fluorescence_013": 0.90,
    "fluorescence_014": 0.90,
    "stained_005": 0.84,
    "ISIC_0012956": 0.86,
    "ISIC_0012206": 0.89,
    "ISIC_0012221": 0.91,
}


def dice(first, second):
    return 2 * np.sum(first & second) / (first.sum() + second.sum())


@pytest.fixture(scope="module", params=SAMPLES)
def case(request):
    """A sample, its image, what the bundled model proposes on the CPU."""
    sample = SAMPLES[request.param]
    session = Session(sample.method, sample.model, "cpu")
    image = Image.read(list(sample.images))
    session.set_image(image)
    return sample, image, session.propose()


def test_every_sample_has_a_floor():
    assert set(FLOORS) == set(SAMPLES)


def test_the_object_is_outlined(case):
    sample, image, proposal = case
    mask, truth = proposal.mask(), Mask.read(sample.label)
    assert mask.geometry.is_close(image.geometry)
    assert proposal.verdict.state is not Verdict.NOT_FOUND
    assert dice(mask.array > 0, truth.array > 0) >= FLOORS[sample.id]


def test_every_label_is_at_its_place(case):
    sample, _, proposal = case
    mask, truth = proposal.mask().array, Mask.read(sample.label).array
    for value in np.unique(truth[truth > 0]):
        assert dice(mask == value, truth == value) >= FLOORS[sample.id] - 0.05


def test_doubt_lies_where_the_errors_are(case):
    sample, _, proposal = case
    wrong = (proposal.mask().array > 0) != (Mask.read(sample.label).array > 0)
    doubt = proposal.uncertainty.array[0]
    assert doubt[wrong].mean() > 2 * doubt[~wrong].mean()
