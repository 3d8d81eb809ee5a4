import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.masks import (
    encode_labels,
    foreground_probability,
    mask_channels,
)


@given(st.integers(1, 4), st.integers(0, 99), st.sampled_from([(5,), (4, 3), (2, 3, 4)]))
def test_labels_survive_the_way_there_and_back(labels, seed, shape):
    rng = torch.Generator().manual_seed(seed)
    classes = torch.randint(labels + 1, (2, *shape), generator=rng)
    mask = encode_labels(classes, labels)
    assert mask.shape == (2, mask_channels(labels), *shape)
    assert set(mask.unique().tolist()) <= {-1.0, 1.0}
    probability = foreground_probability(mask, labels)
    assert probability.shape == (2, labels, *shape)
    inside = probability.sum(dim=1) >= 0.5
    found = torch.where(inside, probability.argmax(dim=1) + 1, 0)
    assert torch.equal(found, classes)


@pytest.mark.parametrize(("labels", "channels"), [(1, 1), (2, 3), (5, 6)])
def test_several_labels_have_a_channel_for_the_background(labels, channels):
    assert mask_channels(labels) == channels


def test_one_label_is_plus_one_inside():
    mask = encode_labels(torch.tensor([[0, 1, 7]]), 1)
    assert mask.tolist() == [[[-1.0, 1.0, 1.0]]]


def test_probabilities_never_leave_zero_to_one():
    wild = torch.tensor([[[-3.0, -1.0, 0.0, 0.5, 4.0]]])
    assert foreground_probability(wild, 1).tolist() == [[[0.0, 0.0, 0.5, 0.75, 1.0]]]
