"""Random crops of packed cases, so that the object is no longer in the middle."""

from __future__ import annotations

import torch

from DiffusionSegLib.training.cdal.pack import PackedCase

_SIDES = (0.6, 0.9)  # of the image's side
_SHARE = 0.5  # of the object that must stay inside
_TRIES = 200


def random_crops(case: PackedCase, count: int, seed: int) -> list[PackedCase]:
    """``count`` crops whose sides are 60 to 90 % of the image's, anywhere in it, that hold at
    least half of the object. The same case and seed give the same crops."""
    rng = torch.Generator().manual_seed(seed + sum(case.name.encode()))
    return [_crop(case, number, rng) for number in range(count)]


def _crop(case: PackedCase, number: int, rng: torch.Generator) -> PackedCase:
    object_size = int((case.label > 0).sum())
    for _ in range(_TRIES):
        part = tuple(_range(size, rng) for size in case.label.shape)
        label = case.label[part]
        if int((label > 0).sum()) >= _SHARE * object_size:
            return PackedCase(f"{case.name} crop {number}", case.image[(slice(None), *part)], label)
    raise ValueError(f"no crop of {case.name} holds half of its object")


def _range(size: int, rng: torch.Generator) -> slice:
    if size == 1:
        return slice(0, 1)
    low, high = _SIDES
    share = low + (high - low) * float(torch.rand((), generator=rng))
    length = max(1, round(share * size))
    start = int(torch.randint(size - length + 1, (), generator=rng))
    return slice(start, start + length)
