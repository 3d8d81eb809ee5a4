"""The benchmark of one pass: it measures every part, and knows its target."""

import argparse

import pytest

from Testing.Benchmarks import backbone_pass as benchmark
from Testing.Library.backbones.compact.tiny import open_tiny, write_model


def test_every_part_is_measured(tmp_path):
    model = open_tiny(write_model(tmp_path))
    row = benchmark.measure(model, 32, argparse.Namespace(seed=0, passes=2, device="cpu"))
    assert row["pixels"] == "32 x 32"
    assert all(row[part] > 0 for part in ("encode s", "network s", "encode and maps s"))


@pytest.mark.parametrize(
    ("pixels", "seconds", "reached"),
    [("256 x 256", 0.49, True), ("256 x 256", 0.51, False), ("512 x 512", 3.0, True)],
)
def test_target(pixels, seconds, reached):
    row = {"pixels": pixels, "encode s": seconds, "network s": seconds}
    assert benchmark.reached(row) == reached
