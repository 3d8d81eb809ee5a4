"""Random crops of packed cases."""

import torch

from DiffusionSegLib.training.cdal.pack import PackedCase
from Testing.Benchmarks.crops import random_crops


def case() -> PackedCase:
    label = torch.zeros(30, 40, 50, dtype=torch.uint8)
    label[10:20, 15:25, 20:30] = 1
    image = torch.stack([label, label * 2]).half()
    return PackedCase("a", image, label)


def test_crops_hold_half_of_the_object_and_move_it_off_the_centre() -> None:
    crops = random_crops(case(), 8, seed=3)
    centres = []
    for crop in crops:
        assert crop.image.shape[1:] == crop.label.shape
        assert torch.equal(crop.image[0], crop.label.half())
        assert all(0.59 < a / b < 0.91 for a, b in zip(crop.label.shape, (30, 40, 50), strict=True))
        assert int(crop.label.sum()) >= 500
        middle = (torch.tensor(crop.label.shape) - 1) / 2
        centres.append(float((crop.label.nonzero().float().mean(0) - middle).abs().max()))
    assert max(centres) > 5


def test_the_same_seed_gives_the_same_crops() -> None:
    first, again, other = (random_crops(case(), 3, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a.image, b.image) for a, b in zip(first, again, strict=True))
    assert any(a.label.shape != b.label.shape for a, b in zip(first, other, strict=True))
