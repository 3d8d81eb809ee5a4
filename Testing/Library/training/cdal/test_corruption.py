import pytest
import torch

from DiffusionSegLib.training.cdal.corruption import corrupt_classes


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def boxes(*shape, labels=1):
    classes = torch.zeros((6, *shape), dtype=torch.int64)
    middle = tuple(slice(s // 4, s - s // 4) for s in shape)
    classes[(slice(None), *middle)] = labels
    return classes


@pytest.mark.parametrize("shape", [(24, 20), (10, 16, 12)])
@pytest.mark.parametrize("labels", [1, 3])
def test_regions_are_added_and_missing(shape, labels):
    classes = boxes(*shape, labels=labels)
    found = torch.cat([corrupt_classes(classes, labels, rng(s)) for s in range(10)])
    truth = classes.repeat(10, *[1] * len(shape))
    assert bool(((found > 0) & (truth == 0)).any())
    assert bool(((found == 0) & (truth > 0)).any())
    assert int(found.max()) <= labels
    assert int(found.min()) >= 0
    share = (found != truth).float().mean()
    assert 0.002 < float(share) < 0.3


def test_the_mask_itself_is_left_alone_and_the_seed_decides():
    classes = boxes(20, 20)
    before = classes.clone()
    first, again = corrupt_classes(classes, 1, rng(3)), corrupt_classes(classes, 1, rng(3))
    assert torch.equal(classes, before)
    assert torch.equal(first, again)
    assert not torch.equal(first, corrupt_classes(classes, 1, rng(4)))


def test_an_empty_mask_gets_false_objects():
    found = corrupt_classes(torch.zeros(8, 20, 20, dtype=torch.int64), 1, rng())
    assert bool(found.flatten(1).any(dim=1).any())
