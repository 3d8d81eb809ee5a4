"""The data set behind each bundled model, and the real images of its test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.cases import Case, find_cases, stem_of
from DiffusionSegLib.evaluation.label_pairs import LabelPair, label_pairs
from DiffusionSegLib.evaluation.runner import read_case
from DiffusionSegLib.evaluation.truth import read_truth
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

SAMPLES = Path(__file__).resolve().parents[2] / "Resources" / "Samples"

# Model = folder of its data set under --data; the bundled samples use the same names.
FOLDERS = {
    "hippocampus": "msd_hippocampus",
    "nuclei": "dsb2018_nuclei",
    "skin-lesion": "isic2017_98",
    "sarcoma": "sts_ct_mr",
}


@dataclass(frozen=True)
class RealCase:
    """An image of the test part and its known outline, with the model's own label values."""

    name: str
    image: Image
    truth: Mask
    pairs: tuple[LabelPair, ...]

    def dice(self, mask: Mask) -> list[float]:
        """Of each label."""
        return [
            metrics.dice(pair.predicted(mask.array), pair.predicted(self.truth.array))
            for pair in self.pairs
        ]

    def mean_dice(self, mask: Mask) -> float:
        """Mean over the labels."""
        return float(np.mean(self.dice(mask)))


def find_test_cases(
    entry: ModelEntry, data: Path, limit: int | None = None, channels: Sequence[str] = ()
) -> list[Case]:
    """Cases of the model's test part that lie under ``data``; raises InputError without any."""
    folder = data / FOLDERS[entry.name]
    labels = folder / "labels"
    if not labels.is_dir():
        raise InputError(f"The folder {labels} does not exist; --data is the folder that holds it.")
    there = {stem_of(path) for path in labels.iterdir()}
    names = [name for name in entry.splits.get("test", ()) if name in there][:limit]
    if not names:
        raise InputError(f"{labels} holds no case of the test part of the model {entry.id}.")
    inputs = [part.name for part in entry.inputs]
    return list(find_cases(folder / "images", labels, inputs, channels, names).cases)


def read_real_case(entry: ModelEntry, case: Case) -> RealCase:
    """Read image and truth."""
    assert case.label is not None
    image = read_case(case)
    pairs = label_pairs(entry.labels)
    stored = read_truth(case.label, image).mask
    array = np.zeros(stored.array.shape, np.uint8)
    for pair in pairs:
        array[pair.true(stored.array)] = pair.predicted_value
    truth = Mask(array, image.geometry, entry.labels, dimension=image.dimension)
    return RealCase(case.name, image, truth, pairs)
