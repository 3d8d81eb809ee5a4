"""Places are found again: against a slow search of all places, and in moved slices."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from DiffusionSegLib.methods.adzus.slice_matching import match_slices
from DiffusionSegLib.methods.adzus.slice_sight import SliceSight, see_slice
from Testing.Library.methods.adzus.disc_planes import disc, plane_showing

GRID = (12, 10)


def sight(features, color):
    return SliceSight(F.normalize(features, dim=1).half(), GRID, color, (48, 40))


def random_sight(seed):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(GRID[0] * GRID[1], 6, generator=generator)
    return sight(features, 20 * torch.rand(3, *GRID, generator=generator))


def moved(one, rows, columns):
    features = one.features.view(*GRID, -1).roll((rows, columns), (0, 1)).flatten(0, 1)
    return SliceSight(features, GRID, one.color.roll((rows, columns), (1, 2)), one.canvas)


def slow_carried(before, here, way, values):
    """One place after the other, with numpy."""
    both = [one.features.float().numpy() for one in (before, here)]
    mean = np.concatenate(both).mean(0)
    first, second = ((f - mean) / np.linalg.norm(f - mean, axis=1, keepdims=True) for f in both)
    first, second = (f.reshape(*GRID, -1) for f in (first, second))
    found = np.zeros(GRID)
    for r, c in np.ndindex(*GRID):
        logits, labels = [], []
        for y, x in np.ndindex(2 * GRID[0], 2 * GRID[1]):
            y, x = y - GRID[0], x - GRID[1]
            if y * y + x * x > (way + 1) ** 2:
                continue
            i, j = min(max(r + y, 0), GRID[0] - 1), min(max(c + x, 0), GRID[1] - 1)
            unlike = np.linalg.norm(before.color[:, i, j].numpy() - here.color[:, r, c].numpy())
            alike = float(first[i, j] @ second[r, c])
            logits.append(alike / 0.015 - 0.1 * unlike - 2 * (y * y + x * x) / way**2)
            labels.append(values[i, j])
        weights = np.exp(np.array(logits) - max(logits))
        found[r, c] = (weights / weights.sum()) @ np.array(labels)
    return found


@pytest.mark.parametrize("way", [1.0, 2.3])
def test_values_are_carried_as_the_equation_says(way):
    before, here = random_sight(1), random_sight(2)
    values = torch.rand(GRID, generator=torch.Generator().manual_seed(3))
    fast = match_slices(before, here, way).carried(values[None])[0].numpy()
    np.testing.assert_allclose(fast, slow_carried(before, here, way, values.numpy()), atol=2e-3)


def test_a_moved_slice_carries_its_labels_along():
    before = random_sight(4)
    here = moved(before, 1, -1)
    inside = torch.zeros(GRID)
    inside[4:8, 3:7] = 1
    match = match_slices(before, here, 1.5)
    carried = match.carried(inside[None])[0]
    assert torch.equal(carried >= 0.5, inside.roll((1, -1), (0, 1)) >= 0.5)
    assert match.found_again(inside >= 0.5) == 1.0


def test_what_leads_elsewhere_is_not_found_again():
    """Half of the object looks in the next slice as what lies beside it looked before."""
    before = random_sight(5)
    features = before.features.clone().view(*GRID, -1)
    color = before.color.clone()
    inside = torch.zeros(GRID, dtype=torch.bool)
    inside[2:6, 4:6] = True
    features[2:4, 4:6], color[:, 2:4, 4:6] = features[0:2, 4:6].clone(), color[:, 0:2, 4:6].clone()
    here = SliceSight(features.flatten(0, 1), GRID, color, before.canvas)
    assert 0.3 <= match_slices(before, here, 2.0).found_again(inside) <= 0.7
    nothing = torch.zeros(GRID, dtype=torch.bool)
    assert match_slices(before, here, 2.0).found_again(nothing) == 0.0


def test_a_sight_is_small_and_keeps_the_shape():
    plane = plane_showing(disc((64, 48), (30, 20), 9), grid=(16, 12))
    seen = see_slice(plane)
    assert seen.size == (64, 48) and seen.canvas == (64, 48)
    assert seen.features.dtype == torch.float16 and len(seen.features) == 16 * 12
