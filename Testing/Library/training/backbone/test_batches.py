from dataclasses import replace

import pytest
import torch

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.backbone.batches import Batches, validation_batch
from Testing.Library.training.backbone.tiny import tiny_pack

CPU = torch.device("cpu")


def batches(empty=0.25, seed=0, pack=None):
    return Batches(pack or tiny_pack(), empty, torch.Generator().manual_seed(seed))


def numbers(batch):
    """Which caption each sample has."""
    text = tiny_pack().text.float()
    return [int((text - one).abs().sum((1, 2)).argmin()) for one in batch.text]


def test_sources_come_by_weight_and_captions_of_the_picture():
    """Disks (caption 1) three times as often as stripes (captions 1 and 2), a quarter empty."""
    batch = batches().draw(800, 32, CPU)
    assert batch.image.shape == (800, 3, 32, 32)
    count = torch.bincount(torch.tensor(numbers(batch)), minlength=3) / 800
    wanted = torch.tensor([0.25, 0.75 * (0.75 + 0.125), 0.75 * 0.125])
    assert (count - wanted).abs().max() < 0.05


def test_the_seed_decides():
    first, again, other = (batches(seed=seed).draw(4, 32, CPU) for seed in (0, 0, 1))
    assert torch.equal(first.image, again.image) and torch.equal(first.text, again.text)
    assert not torch.equal(first.image, other.image)


def test_the_validation_part_is_not_drawn_and_always_the_same():
    pack = tiny_pack()
    first, again = (validation_batch(pack, 32, 0, CPU) for _ in range(2))
    assert first.image.shape == (4, 3, 32, 32)
    assert torch.equal(first.image, again.image)
    assert numbers(first) == [1, 1, 2, 2]


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_pack_without_a_part_is_told(part):
    pack = tiny_pack()
    pack = replace(pack, pictures=tuple(p for p in pack.pictures if p.part != part))
    with pytest.raises(InputError, match=part if part == "validation" else "training pictures"):
        if part == "train":
            batches(pack=pack)
        else:
            validation_batch(pack, 32, 0, CPU)
