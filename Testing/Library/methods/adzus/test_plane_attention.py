from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.methods.adzus.plane_attention import network_picture, read_attention
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.compact.tiny import open_tiny, write_model
from Testing.Library.methods.adzus.made_planes import made_picture

SIDES = st.integers(1, 1500)


def shape_of(multiple=16, channels=3):
    """All that a picture depends on."""
    return SimpleNamespace(image_multiple=multiple, image_channels=channels)


@given(SIDES, SIDES, st.sampled_from([8, 16, 32, 64]))
def test_the_network_sees_a_long_side_of_256_to_512(rows, columns, multiple):
    backbone = shape_of(multiple)
    found = network_picture(backbone, torch.rand(rows, columns, 3))
    assert found.shape[:2] == (1, 3)
    height, width = found.shape[2:]
    assert height % multiple == width % multiple == 0
    longest = max(rows, columns)
    wanted = min(max(longest, 256), 512)
    assert abs(max(height, width) - wanted) <= multiple / 2
    scale = wanted / longest
    for side, given_side in ((height, rows), (width, columns)):
        assert side == multiple or abs(side - scale * given_side) <= multiple / 2
    assert found.min() >= -1
    assert found.max() <= 1


def test_black_is_minus_one_and_white_is_one():
    rgb = torch.zeros(256, 256, 3)
    rgb[:, 128:] = 1.0
    found = network_picture(shape_of(), rgb)
    assert torch.equal(found[0, 0], 2 * rgb[..., 0] - 1)


def test_a_gray_network_is_shown_the_mean_of_the_channels():
    rgb = torch.rand(256, 256, 3)
    found = network_picture(shape_of(channels=1), rgb)
    assert found.shape == (1, 1, 256, 256)
    assert torch.allclose(found[0, 0], 2 * rgb.mean(-1) - 1, atol=1e-6)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return open_tiny(write_model(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def rgb():
    return torch.from_numpy(made_picture(64)[:48].copy())


@pytest.fixture(scope="module")
def attention(backbone, rgb):
    return read_attention(backbone, rgb, 100, Progress.silent())


def test_maps_are_those_of_one_pass_with_the_empty_text(backbone, rgb, attention):
    wanted = run_attention_pass(backbone, network_picture(backbone, rgb), AttentionRequest(100))
    assert len(attention.maps) == len(wanted.self_maps)
    for one, other in zip(attention.maps, wanted.self_maps, strict=True):
        assert (one.grid, one.layers) == (other.grid, other.layers)
        assert torch.allclose(one.weights, other.weights, atol=1e-6)
        assert torch.allclose(one.keys, other.keys, atol=1e-4)
        assert one.weights.device.type == "cpu"
    sizes = [one.grid[0] * one.grid[1] for one in attention.maps]
    assert sizes == sorted(sizes, reverse=True)
    assert attention.grid == attention.maps[0].grid


def test_the_walk_is_balanced_on_the_finest_grid(attention):
    places = attention.grid[0] * attention.grid[1]
    assert attention.walk.shape == (places, places)
    for axis in (0, 1):
        assert (attention.walk.sum(axis) - 1).abs().max() < 2e-3
    assert torch.allclose(attention.coarse.entering, attention.walk.sum(0))  # small as it is


def test_features_are_the_keys_at_unit_length(attention):
    keys = attention.maps[0].keys
    assert torch.allclose(attention.features.norm(dim=1), torch.ones(len(keys)), atol=1e-5)
    assert torch.allclose(attention.features, keys / keys.norm(dim=1, keepdim=True), atol=1e-6)


def test_another_timestep_is_another_answer(backbone, rgb, attention):
    other = read_attention(backbone, rgb, 700, Progress.silent())
    assert (other.features - attention.features).abs().max() > 1e-3
