"""The benchmark of MAISI's networks: it measures every part of what it builds."""

import math

import pytest
import torch

from Testing.Benchmarks import maisi_networks as benchmark
from Testing.Library.backbones.maisi.tiny_maisi import tiny_variant

pytest.importorskip("monai", reason="MONAI is part of the hub extra")


@pytest.mark.parametrize("name", ["ddpm-ct", "rflow-ct"])
def test_every_part_is_measured(name):
    model = benchmark.random_model(tiny_variant(name), "cpu", 0)
    rows = benchmark.measure(model, 32, "cpu")
    assert [row["part"] for row in rows] == ["encode", "denoise", "decode"]
    assert [row["from"] for row in rows] == ["1 x 32 x 32 x 32", *["4 x 8 x 8 x 8"] * 2]
    assert [row["to"] for row in rows] == [*["4 x 8 x 8 x 8"] * 2, "1 x 32 x 32 x 32"]
    for row in rows:
        assert row["seconds"] > 0 and row["wall s"] > 0
        assert row["peak MiB"] is None or math.isfinite(row["peak MiB"])
    weights = sum(one.numel() for one in model.denoiser.parameters())
    assert rows[1]["parameters"] == weights


def test_random_weights_let_signals_through():
    model = benchmark.random_model(tiny_variant("rflow-ct"), "cpu", 0)
    found = model.encode(torch.rand(1, 1, 32, 32, 32)).latent
    assert 0.01 < float(found.std()) < 100
