import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.methods.cdal.ensemble import EnsembleSettings
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.volume_ensemble import GivenMask, VolumeSampler
from DiffusionSegLib.methods.cdal.windows import ArraySource
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.cdal.tiny import constant_network, tiny_network

PROCESS = VariancePreservingProcess(VariancePreservingConfig(2))


def sampler(network, window=(1, 8, 8), overlap=0.25, samples=2, seed=3, labels=1, **grid):
    found = ModelGrid("native", window, overlap=overlap, **grid)
    return VolumeSampler(network, PROCESS, found, labels, EnsembleSettings(samples), seed)


def source(*shape):
    return ArraySource(picture(*shape))


def picture(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@settings(max_examples=15)
@given(st.integers(1, 2), st.integers(3, 20), st.integers(3, 20), st.floats(0, 0.5))
def test_a_constant_prediction_stays_constant_across_windows(slices, rows, columns, overlap):
    found = sampler(constant_network(0.3), overlap=overlap, samples=1).run(
        source(1, slices, rows, columns)
    )
    assert found.mean.shape == found.deviation.shape == (1, slices, rows, columns)
    assert found.mean == pytest.approx(0.3, abs=1e-5)
    assert found.deviation.max() < 2e-3


def test_the_same_seed_gives_the_same_bits():
    network, image = tiny_network(), source(1, 2, 13, 17)
    first = sampler(network).run(image)
    assert np.array_equal(first.mean, sampler(network).run(image).mean)
    assert not np.array_equal(first.mean, sampler(network, seed=4).run(image).mean)


def test_a_window_alone_gives_what_it_gives_within_the_image():
    network, image = tiny_network(), picture(1, 3, 16, 16)
    whole = sampler(network, overlap=0.0).run(ArraySource(image)).mean
    numbers = [(k, j, i) for k in range(3) for j in (0, 8) for i in (0, 8)]
    for number in reversed(range(len(numbers))):  # any order
        k, j, i = numbers[number]
        part = (slice(None), slice(k, k + 1), slice(j, j + 8), slice(i, i + 8))
        piece = ArraySource(image[part])
        alone = sampler(network, overlap=0.0).run(piece, first_window=number).mean
        assert np.allclose(alone, whole[part], atol=1e-6)


def test_every_window_draws_noise_of_its_own():
    same = ArraySource(np.zeros((1, 1, 8, 16), np.float32))
    found = sampler(tiny_network(), overlap=0.0, samples=1).run(same).mean
    assert not np.allclose(found[..., :8], found[..., 8:], atol=0.05)


def test_a_whole_image_may_be_one_window():
    network, image = tiny_network(), source(1, 1, 19, 30)
    found = sampler(network, largest_kji=(1, 32, 32)).run(image)
    assert found.drawn == (2,)
    assert found.mean.shape == (1, 1, 19, 30)


def test_volumetric_networks_get_volumes():
    network = tiny_network(dims=3, labels=2)
    found = sampler(network, window=(4, 8, 8), labels=2).run(source(1, 6, 9, 8))
    assert found.mean.shape == (2, 6, 9, 8)
    assert len(found.drawn) == 2 * 2 * 1


def test_kept_voxels_survive_exactly_under_blended_windows():
    network, image = tiny_network(), source(1, 2, 21, 19)
    mask = np.sign(picture(1, 2, 21, 19, seed=1))
    keep = (picture(1, 2, 21, 19, seed=2) > 0).astype(np.float32)
    found = sampler(network, overlap=0.5, samples=3).run(image, given=GivenMask(mask, keep, 2))
    kept = keep > 0
    assert np.array_equal(found.mean[kept], ((mask + 1) / 2)[kept])
    assert not np.allclose(found.mean[~kept], ((mask + 1) / 2)[~kept], atol=0.1)


def test_agreement_compares_the_sizes_of_the_samples():
    network, image = tiny_network(), source(1, 1, 8, 8)
    assert sampler(constant_network(0.9)).run(image).agreement == 1
    assert sampler(constant_network(0.1)).run(image).agreement == 1  # all of them are empty
    assert 0 <= sampler(network, samples=5).run(image).agreement < 1


def test_progress_counts_windows_previews_are_probabilities_and_cancel_stops():
    image, seen, reports = source(1, 2, 8, 8), [], []
    progress = Progress(reports.append)
    sampler(tiny_network()).run(image, progress, preview=lambda make: seen.append(make()))
    assert [p.shape for p in seen] == [(1, 2, 8, 8)] * (2 * 2 * 2)  # windows, samples, steps
    assert all(0 <= p.min() <= p.max() <= 1 for p in seen)
    assert seen[0].dtype == np.float32
    assert reports[-1].fraction == pytest.approx(1)
    with pytest.raises(Cancelled):
        sampler(tiny_network()).run(image, Progress(cancelled=lambda: True))


def test_every_window_has_a_sample_when_the_user_has_enough():
    image, reports = source(1, 2, 8, 16), []
    progress = Progress(reports.append, accept=lambda: len(reports) >= 5)
    found = sampler(tiny_network(), overlap=0.0, samples=4).run(image, progress)
    assert found.drawn == (4, 1, 1, 1)
    assert found.stopped
    assert found.mean.min() > 0
    assert not sampler(tiny_network()).run(image).stopped
