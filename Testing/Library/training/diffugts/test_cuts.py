import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL, SYNTHETIC, draw_cut
from Testing.Library.training.diffugts.tiny import tiny_pack

PACK = tiny_pack()
BRIGHT = next(n for n, p in enumerate(PACK.pictures) if p.kind == "bright")
PLAIN = next(n for n, p in enumerate(PACK.pictures) if p.kind == "plain")


def cut(number, role, seed, side=64):
    rng = torch.Generator().manual_seed(seed)
    return draw_cut(number, PACK.pictures[number], role, side, rng)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), role=st.sampled_from([REAL, SYNTHETIC, HEALTHY]))
def test_every_cut_is_fit_for_the_encoder(seed, role):
    found = cut(BRIGHT if role == REAL else PLAIN, role, seed)
    if found is None:
        assert role == SYNTHETIC  # no place for a lesion
        return
    assert max(found.shape) == 64
    assert all(side % 32 == 0 for side in found.image.shape)
    rows, columns = found.shape
    assert bool(found.ignored[rows:].all()) and bool(found.ignored[:, columns:].all())
    assert not bool((found.mask & found.ignored).any())
    assert bool(found.mask.any()) is (role != HEALTHY)
    assert found.texts in PACK.pictures[found.picture].texts


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_real_tumors_keep_at_least_half(seed):
    """A lesion of 197 pixels; a cut shows at most 1 / 0.6 of its scale along each side."""
    found = cut(BRIGHT, REAL, seed)
    scale = 64 / (0.9 * 60)
    whole = int(PACK.pictures[BRIGHT].mask.sum())
    assert int(found.mask.sum()) >= 0.45 * whole * scale**2
    assert float(found.image[found.mask].float().mean()) > 130  # it is where the bright disk is


def test_beside_a_drawn_lesion_the_real_one_is_ignored():
    """As many pixels as the tumor has at the cut's scale, or less where the cut shows a part."""
    shown = 0
    for seed in range(30):
        found = cut(BRIGHT, SYNTHETIC, seed)
        if found is None:
            continue
        rows, columns = found.shape
        inner = found.ignored[:rows, :columns]
        bright = (found.image[:rows, :columns] > 185) & ~inner & ~found.mask[:rows, :columns]
        assert int(bright.sum()) < 60  # what is drawn has a diffuse border
        shown += int(inner.sum()) > 150
    assert shown > 10


def test_the_seed_decides():
    first, same, other = (cut(BRIGHT, REAL, seed) for seed in (4, 4, 5))
    assert torch.equal(first.image, same.image) and torch.equal(first.mask, same.mask)
    assert first.image.shape != other.image.shape or not torch.equal(first.image, other.image)


def test_cuts_are_shifted():
    """Where the tumor's middle lies says nothing: it is spread over the cut."""
    middles = []
    for seed in range(40):
        found = cut(BRIGHT, REAL, seed)
        middles.append(found.mask.nonzero().float().mean(dim=0) / torch.tensor(found.shape))
    assert float(torch.stack(middles).std(dim=0).min()) > 0.08


@pytest.mark.parametrize("role", [REAL, SYNTHETIC])
def test_a_picture_without_anything_gives_no_lesion(role):
    from dataclasses import replace

    empty = replace(PACK.pictures[PLAIN], pixels=torch.zeros(40, 40, dtype=torch.uint8),
                    mask=torch.zeros(40, 40, dtype=torch.bool))  # fmt: skip
    assert draw_cut(0, empty, role, 64, torch.Generator().manual_seed(0)) is None
