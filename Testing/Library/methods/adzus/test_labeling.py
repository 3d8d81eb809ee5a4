import numpy as np
import torch

from DiffusionSegLib.methods.adzus.labeling import label_pixels
from Testing.Library.reference import diffseg_reference as reference
from Testing.Library.reference.awake import normal


def test_it_is_argmax_after_enlarging():
    proposals = torch.softmax(normal(7, 64), 1)
    found = label_pixels(proposals, (8, 8), (40, 40))
    assert np.array_equal(found.numpy(), reference.label(list(proposals.numpy()), 8, 40))


def test_equal_values_go_to_the_first_and_sizes_need_not_be_square():
    found = label_pixels(torch.ones(3, 6), (2, 3), (5, 11))
    assert found.shape == (5, 11) and found.max() == 0
