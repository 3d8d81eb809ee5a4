import dataclasses

import pytest
import torch

from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.training.cdal.augment import WindowSampler
from DiffusionSegLib.training.cdal.pack import PackedCase
from DiffusionSegLib.training.cdal.settings import Augmentation
from Testing.Library.training.cdal.tiny_task import QUIET, disc, tiny_task


def sampler(window=(1, 16, 16), kind="native", **changes) -> WindowSampler:
    task = dataclasses.replace(
        tiny_task(),
        grid=ModelGrid(kind, window),
        augmentation=Augmentation(**{**QUIET, **changes}),
    )
    return WindowSampler(task)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def case_of(*shape, channels=1) -> PackedCase:
    """A box in the middle, image +1 inside and -1 outside, so that image and label must agree."""
    label = torch.zeros(shape, dtype=torch.uint8)
    label[tuple(slice(s // 4, s - s // 4) if s > 1 else slice(None) for s in shape)] = 1
    image = (label.float() * 2 - 1).to(torch.float16).expand(channels, *shape).clone()
    return PackedCase("box", image, label)


def test_nothing_to_change_gives_the_image_itself():
    case = case_of(1, 16, 16)
    image, classes = sampler().draw(case, rng())
    assert torch.allclose(image, case.image[:, 0].float(), atol=1e-3)
    assert torch.equal(classes, case.label[0].long())


@pytest.mark.parametrize("shape", [(1, 24, 30), (12, 20, 18)])
def test_image_and_label_move_together(shape):
    window = (1, 16, 16) if shape[0] == 1 else (8, 16, 16)
    tilt = 0 if shape[0] == 1 else 20
    moving = sampler(
        window, rotate_deg=40, tilt_deg=tilt, scale=0.3, shift=0.2, flips=(1, 2), quarter_turns=True
    )
    case = case_of(*shape)
    agree = []
    for seed in range(20):
        image, classes = moving.draw(case, rng(seed))
        assert image.shape == (1, *classes.shape)
        agree.append(((image[0] > 0) == (classes > 0)).float().mean())
    assert float(torch.stack(agree).mean()) > 0.97


def test_windows_differ_and_repeat_with_the_seed():
    moving, case = sampler(rotate_deg=20, noise=0.1), disc("a", 0)
    first, again, other = (moving.draw(case, rng(s))[0] for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_flips_keep_to_their_axes():
    case = case_of(1, 16, 16)
    case.image[0, 0, :4] = 1  # top rows: only a flip along j moves them
    seen = set()
    for seed in range(30):
        image, _ = sampler(flips=(1,)).draw(case, rng(seed))
        top, bottom = float(image[0, :3].mean()), float(image[0, -3:].mean())
        seen.add((top > 0.9, bottom > 0.9))
        assert torch.allclose(image, image.flip(2), atol=1e-3)
    assert seen == {(True, False), (False, True)}


def test_background_windows_avoid_the_object():
    case = case_of(1, 64, 64)
    usual = [bool(sampler().draw(case, rng(s))[1].any()) for s in range(20)]
    away = [bool(sampler(background=1.0).draw(case, rng(s))[1].any()) for s in range(20)]
    assert sum(usual) >= 10
    assert sum(away) <= 2


def test_intensities_change_and_stay_within_bounds():
    loud = sampler(gain=0.5, bias=0.5, gamma=0.5, noise=0.3, blur=0.5, invert=0.5, color=0.3)
    case = case_of(1, 16, 16, channels=3)
    for seed in range(10):
        image, classes = loud.draw(case, rng(seed))
        assert float(image.abs().max()) <= 1
        assert not torch.allclose(image, case.image[:, 0].float(), atol=0.05)
        assert torch.equal(classes, case.label[0].long())


def test_channels_change_together_or_each_on_its_own():
    case = case_of(1, 16, 16, channels=2)
    case.image.mul_(0.4)  # away from the ends, where values are cut off
    for alone in (False, True):
        changing = sampler(gain=0.4, bias=0.1, gamma=0.3, channelwise=alone)
        image, _ = changing.draw(case, rng())
        assert torch.equal(image[0], image[1]) != alone
        assert not torch.allclose(image, case.image[:, 0].float(), atol=0.01)


@pytest.mark.parametrize("shape", [(1, 32, 32), (16, 20, 18)])
def test_elastic_bends_image_and_label_alike(shape):
    window = (1, 32, 32) if shape[0] == 1 else (16, 16, 16)
    still, bending = sampler(window), sampler(window, elastic=1.5)
    case, moved, agree = case_of(*shape), [], []
    for seed in range(10):
        image, classes = bending.draw(case, rng(seed))
        moved.append(bool((classes != still.draw(case, rng(seed))[1]).any()))
        agree.append(((image[0] > 0) == (classes > 0)).float().mean())
    assert sum(moved) >= 8
    assert float(torch.stack(agree).mean()) > 0.97


def test_a_brightness_field_varies_slowly():
    case = case_of(1, 32, 32)
    case.image[:] = 0
    image, _ = sampler((1, 32, 32), field=0.3).draw(case, rng())
    assert float(image.std()) > 0.05
    steps = torch.cat([image.diff(dim=1).flatten(), image.diff(dim=2).flatten()])
    assert float(steps.abs().max()) < 0.3 * float(image.max() - image.min())


def test_contrast_is_lost_about_the_mean():
    case, lost = case_of(1, 16, 16), []
    for seed in range(20):
        image, _ = sampler(contrast=1.0).draw(case, rng(seed))
        lost.append(float(image.std() / case.image.float().std()))
        assert float(image.mean()) == pytest.approx(float(case.image.float().mean()), abs=1e-3)
    assert 0.36 < min(lost) < 0.55
    assert 0.8 < max(lost) <= 1.001


def test_a_dropped_channel_is_zero_and_never_all_of_them():
    dropping = sampler(channel_dropout=1.0)
    for seed in range(10):
        image, _ = dropping.draw(case_of(1, 16, 16, channels=2), rng(seed))
        assert sorted(bool(channel.any()) for channel in image) == [False, True]
    image, _ = dropping.draw(case_of(1, 16, 16), rng())
    assert bool(image.any())


def test_drawing_leaves_the_case_as_it_was():
    case = disc("a", 0)
    image, label = case.image.clone(), case.label.clone()
    sampler(noise=0.3, bias=0.5, invert=1.0).draw(case, rng())
    assert torch.equal(case.image, image)
    assert torch.equal(case.label, label)
