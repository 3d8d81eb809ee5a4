import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.label_pairs import LabelPair, label_pairs
from DiffusionSegLib.nouns.label import label_for

TRUTH = np.array([0, 1, 2, 255], dtype=np.uint8)


def test_one_label_means_everything_but_background():
    (pair,) = label_pairs([label_for(1, "lesion")])
    assert pair.true(TRUTH).tolist() == [False, True, True, True]
    assert pair.predicted(TRUTH).tolist() == [False, True, False, False]


def test_one_label_with_values_takes_them_together():
    (pair,) = label_pairs([label_for(3, "tumour")], (1, 2))
    assert pair.true(TRUTH).tolist() == [False, True, True, False]
    assert pair.predicted_value == 3


def test_several_labels_are_compared_one_by_one():
    labels = [label_for(1, "anterior"), label_for(2, "posterior")]
    assert label_pairs(labels) == (LabelPair("anterior", 1, (1,)), LabelPair("posterior", 2, (2,)))
    assert [pair.truth_values for pair in label_pairs(labels, (7, 4))] == [(7,), (4,)]
    with pytest.raises(InputError, match=r"1 label values .* 2 labels \(anterior, posterior\)"):
        label_pairs(labels, (1,))
