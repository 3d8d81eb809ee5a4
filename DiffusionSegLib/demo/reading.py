"""A sample as it is handed to its method: image, known outline, what is said; and its Dice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.demo.samples import Sample
from DiffusionSegLib.demo.zero_shot import asked_of
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.cases import channel_names
from DiffusionSegLib.evaluation.label_pairs import label_pairs
from DiffusionSegLib.evaluation.truth import read_truth
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt

__all__ = ["read_sample", "sample_dices"]


def read_sample(sample: Sample, model: ModelEntry) -> tuple[Image, Mask, Prompt]:
    """The image with the channels that the model knows, its known outline on the same grid, and
    the prompt; raises InputError."""
    image = _image(sample, model)
    truth = read_truth(sample.label, image).mask
    return asked_of(sample, image, truth) if sample.told else (image, truth, Prompt())


def sample_dices(labels: Sequence[Label], mask: Mask, truth: Mask) -> tuple[tuple[str, float], ...]:
    """(label, Dice) pairs."""
    return tuple(
        (pair.name, metrics.dice(pair.predicted(mask.array), pair.true(truth.array)))
        for pair in label_pairs(labels)
    )


def _image(sample: Sample, model: ModelEntry) -> Image:
    image = Image.read(list(sample.images))
    names = channel_names(sample.images, [str(part.name) for part in model.inputs], ())
    if len(names) == len(image.array) and not image.is_rgb:
        return replace(image, channel_names=names)
    return image
