import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from DiffusionSegLib.methods.cdal.fir import PyramidDown, convolution, fir_down, fir_up
from Testing.Library.reference import cdal_reference as reference
from Testing.Library.reference.awake import awake, normal

half_sizes = st.integers(1, 7)


def cube_filter(x: torch.Tensor, gain: float) -> torch.Tensor:
    """Every channel convolved with the 4 x 4 x 4 kernel, written out."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype)
    kernel = line[:, None, None] * line[None, :, None] * line[None, None, :]
    kernel = (kernel * gain / kernel.sum()).expand(x.shape[1], 1, 4, 4, 4)
    return F.conv3d(x, kernel, groups=x.shape[1])


@given(half_sizes, half_sizes, st.integers(0, 99))
def test_plane_resampling_is_the_explicit_filter(rows, columns, seed):
    x = normal(2, 3, 2 * rows, 2 * columns, seed=seed).double()
    assert torch.allclose(fir_down(x), reference.fir_down(x), atol=1e-12)
    assert torch.allclose(fir_up(x), reference.fir_up(x), atol=1e-12)


@given(half_sizes, half_sizes, half_sizes)
def test_volume_resampling_is_the_explicit_filter(slices, rows, columns):
    x = normal(1, 2, 2 * slices, 2 * rows, 2 * columns).double()
    down = cube_filter(F.pad(x, [1, 1] * 3), 1.0)[:, :, ::2, ::2, ::2]
    assert torch.allclose(fir_down(x), down, atol=1e-12)
    stuffed = x.new_zeros(1, 2, *(2 * s for s in x.shape[2:]))
    stuffed[:, :, ::2, ::2, ::2] = x
    assert torch.allclose(fir_up(x), cube_filter(F.pad(stuffed, [2, 1] * 3), 8.0), atol=1e-12)


def test_constants_stay_constant_away_from_the_border():
    x = torch.full((1, 1, 16, 16), 3.0)
    assert torch.allclose(fir_down(x)[..., 1:-1, 1:-1], torch.tensor(3.0))
    assert torch.allclose(fir_up(x)[..., 1:-1, 1:-1], torch.tensor(3.0))


def test_the_filter_is_symmetric():
    x = normal(1, 2, 8, 12)
    for resample in (fir_down, fir_up):
        for axes in ([2], [3], [2, 3]):
            assert torch.allclose(resample(x.flip(axes)), resample(x).flip(axes), atol=1e-6)


def test_an_odd_side_is_refused():
    with pytest.raises(ValueError, match="axis 3 has odd size 7"):
        fir_down(torch.zeros(1, 1, 8, 7))


@given(half_sizes, half_sizes)
def test_pyramid_is_the_filter_and_a_strided_convolution(rows, columns):
    layer = awake(PyramidDown(2, 2, 5)).double()
    x = normal(2, 2, 2 * rows, 2 * columns).double()
    blurred = reference.filtered(F.pad(x, (2, 2, 2, 2)), 1.0)
    wanted = F.conv2d(blurred, layer.conv.weight, layer.conv.bias, stride=2)
    found = layer(x)
    assert found.shape == (2, 5, rows, columns)
    assert torch.allclose(found, wanted, atol=1e-12)


def test_new_layers_start_as_released():
    torch.manual_seed(0)
    layer = convolution(2, 64, 128)
    bound = (6 / ((64 + 128) * 9)) ** 0.5  # fan-average uniform
    assert float(layer.weight.detach().abs().max()) == pytest.approx(bound, rel=1e-3)
    assert float(layer.bias.detach().abs().max()) == 0
    assert float(convolution(3, 4, 4, zero=True).weight.detach().abs().max()) == 0
    assert convolution(2, 4, 4, bias=False).bias is None
