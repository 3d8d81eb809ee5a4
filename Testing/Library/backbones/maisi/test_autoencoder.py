import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.backbones.maisi.autoencoder import MaisiAutoencoder, Windows, piece_count
from Testing.Library.backbones.maisi.tiny_maisi import monai_networks, tiny_variant
from Testing.Library.reference.awake import normal

pytest.importorskip("monai", reason="MONAI is part of the hub extra")


def made(windows=None, pieces=1, scale=1.25):
    variant = tiny_variant("rflow-ct")
    network = monai_networks(variant)[0]
    return MaisiAutoencoder(network, variant.autoencoder, scale, windows or Windows(), pieces)


@pytest.fixture(scope="module")
def image():
    return normal(1, 1, 32, 48, 32).abs().clamp(0, 1)


def test_the_latent_is_the_mean_times_the_scale(image):
    autoencoder = made()
    mean = autoencoder.network.encode(image)[0]
    torch.testing.assert_close(autoencoder.encode(image)[0], 1.25 * mean)


def test_stages_are_what_blocks_3_6_and_8_put_out(image):
    autoencoder = made()
    assert autoencoder.taps == (3, 6, 8)
    seen = {}
    for number, block in enumerate(autoencoder.network.encoder.blocks):
        block.register_forward_hook(
            lambda module, given, found, number=number: seen.setdefault(number, found.clone())
        )
    stages = autoencoder.encode(image)[1:]
    assert [tuple(one.shape[1:]) for one in stages] == [
        (8, 16, 24, 16), (16, 8, 12, 8), (16, 8, 12, 8),
    ]  # fmt: skip
    for number, stage in zip((3, 6, 8), stages, strict=True):
        torch.testing.assert_close(stage, seen[number])


def test_decoding_divides_by_the_scale_and_clips(image):
    autoencoder = made()
    latent = autoencoder.encode(image)[0]
    expected = autoencoder.network.decode(latent / 1.25).clamp(0, 1)
    found = autoencoder.decode(latent)
    torch.testing.assert_close(found, expected)
    assert float(found.std()) > 0


def test_a_volume_up_to_the_window_is_one_window(image):
    whole, same = made(), made(Windows((32, 48, 64), (8, 12, 8)))
    for one, other in zip(whole.encode(image), same.encode(image), strict=True):
        assert torch.equal(one, other)
    latent = whole.encode(image)[0]
    assert torch.equal(whole.decode(latent), same.decode(latent))


def test_windows_see_what_they_are_given_and_blend(image):
    """Far from the seam a window's own result stands, near it a mean of both: normalization is
    over the window, so that windows and whole differ."""
    autoencoder = made(Windows((32, 32, 32), (8, 8, 8), 0.5))
    latent, *stages = autoencoder.encode(image)
    assert [tuple(one.shape[2:]) for one in (latent, *stages)] == [
        (8, 12, 8), (16, 24, 16), (8, 12, 8), (8, 12, 8),
    ]  # fmt: skip
    alone = [made().encode(image[:, :, :, start : start + 32]) for start in (0, 16)]
    torch.testing.assert_close(latent[:, :, :, :4], alone[0][0][:, :, :, :4])
    torch.testing.assert_close(latent[:, :, :, 8:], alone[1][0][:, :, :, 4:])
    torch.testing.assert_close(stages[0][:, :, :, :8], alone[0][1][:, :, :, :8])
    decoded = autoencoder.decode(latent)
    alone = made().decode(latent[:, :, :, :8])
    torch.testing.assert_close(decoded[:, :, :, :16], alone[:, :, :, :16])
    assert decoded.shape == image.shape


@pytest.mark.parametrize("pieces", [2, 3, 4, 8])
def test_cutting_convolutions_changes_nothing(image, pieces):
    """Sides of the latent's second axis: 12 places, so that 8 pieces are not possible."""
    whole, cut = made(), made(pieces=pieces)
    latent = whole.encode(image)[0]
    for one, other in zip(whole.encode(image), cut.encode(image), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    assert {one.num_splits for one in cut.network.modules() if hasattr(one, "num_splits")} == {
        {2: 2, 3: 3, 4: 3, 8: 3}[pieces]
    }
    torch.testing.assert_close(whole.decode(latent), cut.decode(latent), atol=1e-4, rtol=1e-4)


@settings(max_examples=60)
@given(most=st.integers(1, 16), side=st.integers(1, 200))
def test_pieces_are_equal_and_wider_than_their_overlap(most, side):
    count = piece_count(most, (8, side, 8), 4)
    assert 1 <= count <= most
    if count > 1:
        assert side % count == 0 and side // count >= 4
    if side >= 125:  # 500 voxels
        assert count == 1


def test_half_precision_is_near_full():
    """What a GPU computes with, on the CPU."""
    image = normal(1, 1, 16, 16, 16).abs().clamp(0, 1)
    full, half = made(), made()
    half.network.half()
    for layer in half.network.modules():
        if hasattr(layer, "norm_float16"):
            layer.norm_float16 = True
    for one, other in zip(full.encode(image), half.encode(image), strict=True):
        assert other.dtype == torch.float32
        assert (one - other).abs().max() < 0.02 * one.abs().max()
