"""The benchmark of inpainting: three ways over one small volume, and its targets."""

import argparse
from dataclasses import replace

import pytest
import torch

from DiffusionSegLib.methods.diffugts.inpainting_plan import PseudoHealthySettings
from Testing.Benchmarks import inpainting_speed as benchmark
from Testing.Library.methods.diffugts.backbones import plane_backbone

SETTINGS = PseudoHealthySettings(steps=2, seeds=2, window=12, smallest_window=4, margin=1)


def small_bench(tmp_path, every=1):
    backbone = plane_backbone(tmp_path)
    picture = torch.rand(1, 1, 8, 64, 64, generator=torch.Generator().manual_seed(0))
    args = argparse.Namespace(every=every, device="cpu")
    return benchmark.bench_of(backbone, picture, SETTINGS, args)


@pytest.mark.parametrize("every", [1, 3])
def test_all_ways_are_measured_and_the_windows_change_nothing(tmp_path, every):
    bench = small_bench(tmp_path, every)
    assert len(bench.latent) // 2 in bench.sampled
    row = benchmark.measure(bench, 5.0, 0)
    assert row["latent differs"] < 1e-4 and row["image differs"] < 1e-4
    assert row["windows s"] > 0 and row["one pass s"] > 0
    assert row["all windows / windows"] == pytest.approx(row["all windows s"] / row["windows s"])


def test_a_wrong_result_is_seen(tmp_path):
    bench = small_bench(tmp_path)
    found = benchmark.by_windows(bench, benchmark.lesion((8, 64, 64), 5.0), 0)
    assert max(benchmark.by_all_windows(bench, found, 0)) < 1e-4
    assert min(benchmark.by_all_windows(bench, found, 1)) > 1e-3  # other noise
    wrong = replace(found, images=found.images + 0.01)
    assert benchmark.by_all_windows(bench, wrong, 0)[1] > 5e-3


def test_the_lesion_is_as_large_as_it_is_called():
    for percent in (1.0, 5.0, 20.0):
        mask = benchmark.lesion((40, 60, 50), percent)
        assert 100 * float(mask.float().mean()) == pytest.approx(percent, rel=0.05)


def test_growth_is_measured_in_two_volumes(tmp_path):
    rows = benchmark.measure_growth(small_bench(tmp_path), 5.0, 0)
    assert [row["voxels"] for row in rows] == ["8 x 64 x 64", "16 x 64 x 64"]
    assert all(row["windows s"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("change", "reached"),
    [
        ({}, True),
        ({"one pass / windows": 3.9}, False),
        ({"all windows / windows": 3.9}, False),
        ({"one pass / windows": 1.0, "lesion %": 20.0}, True),
        ({"latent differs": 2e-3, "lesion %": 20.0}, False),
        ({"image differs": 2e-3}, False),
    ],
)
def test_targets(change, reached):
    row = {
        "lesion %": 5.0, "all windows / windows": 9.0, "one pass / windows": 4.1,
        "latent differs": 0.0, "image differs": 1e-4,
    }  # fmt: skip
    assert benchmark.reached(row | change) == reached
