"""Masks that the user outlined, and the evidence that their pseudo-healthy image gives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.methods.constraints import FREE
from DiffusionSegLib.methods.diffugts.feature_residual import FeatureResidual
from DiffusionSegLib.methods.diffugts.fused_outline import fused_outline
from DiffusionSegLib.methods.diffugts.fusion import Fusion
from DiffusionSegLib.methods.diffugts.inpainting_plan import PseudoHealthySettings
from DiffusionSegLib.methods.diffugts.outlining import _centered, given_mask
from DiffusionSegLib.methods.diffugts.pixel_residual import difference_scale, pixel_residual
from DiffusionSegLib.methods.diffugts.residual_evidence import residual_evidence
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.progress import Progress
from Testing.Library.geometries import KIND_NAMES, KINDS, grid
from Testing.Library.methods.diffugts.backbones import plane_backbone, volume_backbone
from Testing.Library.reference.awake import awake, normal

SETTINGS = PseudoHealthySettings(
    steps=2, seeds=2, window=8, smallest_window=8, margin=1, places_at_once=64
)


def free(geometry):
    return np.full(geometry.shape_kji, FREE, np.int16)


def block(geometry, *slices):
    array = np.zeros(geometry.shape_kji, np.uint8)
    array[slices] = 1
    return array


def test_belief_is_soft_at_the_border_of_a_mask():
    geometry = Geometry((1, 20, 20))
    array = block(geometry, 0, slice(5, 15), slice(5, 15))
    found = given_mask(Mask(array, geometry), free(geometry), geometry, (1, 24, 24))
    assert found.shape == (1, 24, 24) and found.dtype == np.float32
    assert found[0, 10, 10] == pytest.approx(1.0, abs=1e-3) and not found[0, 20:].any()
    assert found[0, 10, 4] + found[0, 10, 5] == pytest.approx(1.0, abs=1e-3)
    assert found[0, 10, 4] < 0.5 < found[0, 10, 5]


def test_slices_are_not_softened_into_each_other():
    geometry = Geometry((3, 12, 12))
    array = block(geometry, 1, slice(3, 9), slice(3, 9))
    found = given_mask(Mask(array, geometry), free(geometry), geometry, geometry.shape_kji)
    assert not found[[0, 2]].any() and found[1].any()


def test_what_was_painted_and_erased_is_sure():
    geometry = Geometry((1, 20, 20))
    array, fixed = block(geometry, 0, slice(5, 15), slice(5, 15)), free(geometry)
    fixed[0, 2, 2], fixed[0, 10, 10] = 1, 0
    found = given_mask(Mask(array, geometry), fixed, geometry, (1, 20, 20))
    assert found[0, 2, 2] == 1 and found[0, 10, 10] == 0


@pytest.mark.parametrize("kind", KINDS[::3], ids=KIND_NAMES[::3])
def test_a_mask_thinner_than_the_grid_s_voxels_is_not_lost(kind):
    fine = grid((6, 60, 60), **kind)
    coarse = fine.with_spacing((fine.spacing_mm[0] * 6, fine.spacing_mm[1] * 6, fine.spacing_mm[2]))
    array = block(fine, 3, 31, slice(20, 40))
    found = given_mask(Mask(array, fine), free(fine), coarse, coarse.shape_kji)
    places = np.argwhere(found > 0.3)
    positions = coarse.kji_to_ras(places)
    near = fine.ras_to_kji(positions)
    assert len(places) and np.abs(near[:, 0] - 3).max() < 1 and np.abs(near[:, 1] - 31).max() <= 9


def test_a_mask_that_lies_elsewhere_is_not_drawn_to_the_border():
    """Of a region that was cut out: what is outside of it is no part of it."""
    whole = Geometry((1, 40, 40))
    part = whole.crop((slice(0, 1), slice(0, 20), slice(0, 20)))
    array = block(whole, 0, slice(30, 35), slice(30, 35))
    assert not given_mask(Mask(array, whole), free(whole), part, part.shape_kji).any()
    array[0, 7, 7] = 1
    assert given_mask(Mask(array, whole), free(whole), part, part.shape_kji)[0, 7, 7] > 0.2


@settings(max_examples=30)
@given(st.floats(0.05, 0.95), st.lists(st.floats(0, 1, width=32), min_size=2, max_size=9))
def test_the_threshold_of_belief_becomes_one_half(threshold, values):
    belief = np.array(values, np.float32)
    found = _centered(belief, threshold)
    sure = np.abs(belief - threshold) > 1e-5
    assert ((found >= 0.5) == (belief >= threshold))[sure].all()
    assert (np.diff(found[np.argsort(belief)]) >= 0).all()
    assert found.min() >= 0 and found.max() <= 1 + 1e-6


def drawn(backbone, shape, texts=None, seeds=2):
    picture = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(0))
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 2, n // 2 + 5) for n in shape)] = True
    projection = awake(FeatureResidual(backbone.latent_channels, 12, 6, backbone.dims), 3)
    condition = backbone.condition(ScanFacts())
    chosen = PseudoHealthySettings(**{**SETTINGS.__dict__, "seeds": seeds})
    evidence = residual_evidence(
        backbone, picture, mask, condition, chosen, 7, projection, texts, Progress.silent()
    )
    return picture, mask, projection, evidence


@pytest.fixture(scope="module")
def backbones(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {2: plane_backbone(folder), 3: volume_backbone(folder)}


SHAPES = {2: (2, 32, 32), 3: (32, 32, 32)}


@pytest.mark.parametrize("dims", [2, 3])
@torch.no_grad()
def test_residuals_are_those_of_the_pseudo_healthy_image(backbones, dims):
    texts = normal(2, 12)
    picture, _, projection, found = drawn(backbones[dims], SHAPES[dims], texts)
    filled = found.filled
    change = (filled.baseline - filled.images).numpy()
    scale = difference_scale(picture.numpy())
    for seed in range(2):
        for item in range(change.shape[1]):
            one = pixel_residual(change[seed, item], scale, tuple(range(dims)))
            np.testing.assert_allclose(found.pixel[seed, item].numpy(), one, atol=1e-5)
        logits = projection(filled.latent_difference[seed], texts[None])
        apart = logits[:, 1:] - logits[:, :1]
        mode = "bilinear" if dims == 2 else "trilinear"
        wide = torch.nn.functional.interpolate(apart, tuple(filled.images.shape[2:]), mode=mode)
        torch.testing.assert_close(found.feature[seed], wide[:, 0], atol=1e-4, rtol=1e-4)
    assert float(found.pixel.max()) > 0 and float(found.feature.abs().max()) > 0


@torch.no_grad()
def test_more_seeds_keep_the_first_ones_and_no_text_is_no_opinion(backbones):
    *_, few = drawn(backbones[2], SHAPES[2], seeds=1)
    *_, many = drawn(backbones[2], SHAPES[2], seeds=3)
    torch.testing.assert_close(many.pixel[:1], few.pixel, atol=1e-5, rtol=1e-4)
    assert not many.feature.any()
    assert float((many.pixel[1] - many.pixel[0]).abs().max()) > 1e-3


def smoothed(items, pixels):
    """Of every item for itself."""
    return torch.stack(
        [
            torch.from_numpy(ndimage.gaussian_filter(one.numpy(), pixels, mode="nearest"))
            for one in items
        ]
    )


@pytest.mark.parametrize("dims", [2, 3])
@torch.no_grad()
def test_opinions_are_fused_seed_by_seed_inside_what_was_filled(backbones, dims):
    picture, mask, _, found = drawn(backbones[dims], SHAPES[dims], normal(2, 12))
    fusion = awake(Fusion(), 5, gain=4.0)
    belief, logits = (
        np.random.default_rng(n).random(SHAPES[dims]).astype(np.float32) for n in (1, 2)
    )
    for with_feature in (True, False):
        made = fused_outline(found, belief, logits, picture, fusion, with_feature)
        cut, shown = (found.cut(torch.from_numpy(one)) for one in (belief, logits))
        inside = found.filled.filled
        seeds = [
            smoothed(fusion(cut, shown, pixel, feature if with_feature else 0 * feature), 1.0)
            * inside
            for pixel, feature in zip(found.pixel, found.feature, strict=True)
        ]
        stacked = torch.stack(seeds)
        nothing = torch.zeros(SHAPES[dims])
        wanted = found.paste(stacked.mean(0), nothing).numpy()
        np.testing.assert_allclose(made.probability, wanted, atol=1e-6)
        spread = (stacked[0] - stacked[1]).abs() / 2**0.5
        np.testing.assert_allclose(made.spread, found.paste(spread, nothing).numpy(), atol=1e-6)
        filled = found.paste(inside.float(), nothing).numpy() > 0
        assert filled[mask].all() and not made.probability[~filled].any()
        share = found.paste(smoothed(inside.float(), 1.5), nothing).numpy()
        twin = found.paste(found.filled.images.mean(0), picture[0, 0]).numpy()
        shown = (1 - share) * picture[0, 0].numpy() + share * twin
        np.testing.assert_allclose(made.healthy, shown, atol=1e-5)
        far = ndimage.distance_transform_edt(~filled) > 11  # what was not filled is the picture
        assert np.array_equal(made.healthy[far], picture[0, 0].numpy()[far]) and far.any()
    if dims == 2:
        assert np.array_equal(made.healthy[0], picture[0, 0, 0].numpy())  # nothing masked there
