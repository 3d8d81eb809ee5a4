from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import avg_pool3d, interpolate

from DiffusionSegLib.backbones.maisi.tiling import blend_windows, window_starts
from Testing.Library.reference.awake import normal


def pyramid(volume):
    """Results at full, half and quarter resolution of an operator without memory of its place."""
    return 2 * volume, avg_pool3d(volume, 2), avg_pool3d(volume, 4)


@settings(max_examples=25, deadline=None)
@given(
    sides=st.tuples(*[st.integers(1, 6).map(lambda n: 4 * n)] * 3),
    window=st.tuples(*[st.integers(1, 4).map(lambda n: 4 * n)] * 3),
    overlap=st.sampled_from([0.0, 0.25, 0.4, 0.75]),
)
def test_windows_of_a_local_operator_blend_to_its_whole(sides, window, overlap):
    volume = normal(2, 3, *sides)
    found = blend_windows(volume, window, overlap, pyramid, grain=4)
    for one, expected in zip(found, pyramid(volume), strict=True):
        torch.testing.assert_close(one, expected, atol=1e-5, rtol=1e-5)


def test_upwards_too():
    volume = normal(1, 2, 9, 5, 7)

    def grow(part):
        return (interpolate(part, scale_factor=4.0, mode="nearest"),)

    (found,) = blend_windows(volume, (4, 4, 4), 0.4, grow)
    torch.testing.assert_close(found, grow(volume)[0], atol=1e-5, rtol=1e-5)


def test_one_window_is_the_volume_as_it_is():
    seen = []

    def run(part):
        seen.append(part)
        return (part,)

    volume = normal(1, 1, 8, 8, 8)
    (found,) = blend_windows(volume, (8, 16, 8), 0.4, run)
    assert found is volume and len(seen) == 1


@given(size=st.integers(1, 60), window=st.integers(1, 40), overlap=st.floats(0, 0.94))
def test_starts_cover_all_places_and_overlap_as_wished(size, window, overlap):
    starts = window_starts(4 * size, 4 * window, overlap, 4)
    assert starts[0] == 0 and all(start % 4 == 0 for start in starts)
    assert starts[-1] + 4 * window >= 4 * size and starts[-1] == max(0, 4 * size - 4 * window)
    steps = [after - before for before, after in pairwise(starts)]
    assert all(0 < step <= max(4, 4 * window * (1 - overlap)) for step in steps)


def test_the_blend_is_monais():
    """Where starts agree, so do the weights: an operator that depends on the place in its window
    is blended in the same way."""
    monai = pytest.importorskip("monai.inferers", reason="MONAI is part of the hub extra")
    ramp = torch.linspace(0, 1, 8)[:, None, None]
    volume = normal(1, 1, 14, 8, 8)
    ours = blend_windows(volume, (8, 8, 8), 0.25, lambda part: (part * ramp,))[0]
    theirs = monai.sliding_window_inference(
        volume, (8, 8, 8), 1, lambda part: part * ramp, overlap=0.25, mode="gaussian"
    )
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
