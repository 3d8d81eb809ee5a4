"""The windowed loop against the loop over everything, and what becomes of bad and odd input."""

import math
from dataclasses import replace
from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.diffusion.noise_process import DiscreteProcess
from DiffusionSegLib.errors import Cancelled, InputError, ModelError
from DiffusionSegLib.methods.diffugts.inpainting_plan import (
    InpaintingPlan,
    PseudoHealthySettings,
    plan_inpainting,
)
from DiffusionSegLib.methods.diffugts.pseudo_healthy import PseudoHealthy, pseudo_healthy
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.compact.tiny import tiny_config
from Testing.Library.diffusion.slow_inpainting import slow_ddpm, slow_flow, table
from Testing.Library.methods.diffugts.backbones import (
    Counting,
    all_windows,
    plane_backbone,
    same_draws,
    volume_backbone,
)
from Testing.Library.reference.awake import normal

SETTINGS = PseudoHealthySettings(
    start=0.6, steps=3, eta=0.0, seeds=2, window=12, smallest_window=4, margin=1, places_at_once=300
)
VOLUME_SETTINGS = replace(SETTINGS, window=8, smallest_window=8, seeds=1, steps=2)
FACTS = ScanFacts(modality="mr", spacing_mm=(1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    return plane_backbone(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    return volume_backbone(tmp_path_factory.mktemp("models"))


def picture_of(*sides, seed=0):
    return normal(1, 1, *sides, seed=seed).sigmoid()


def box_mask(sides, *boxes):
    mask = torch.zeros(sides, dtype=torch.bool)
    for box in boxes:
        mask[tuple(slice(*side) for side in box)] = True
    return mask


def run(backbone, picture, mask, settings=SETTINGS, **changes):
    return pseudo_healthy(
        backbone, picture, changes.pop("latent", None), mask, backbone.condition(FACTS), settings,
        **changes,
    )  # fmt: skip


def items_of(picture, dims):
    return picture[0].transpose(0, 1) if picture.ndim == dims + 3 else picture


def naive(backbone, picture, plan: InpaintingPlan, settings, number, repeat, seed=0):
    """Latent and decoded image of one item, whole, from the equations: every window of the layout
    at every step, every window decoded."""
    layout, condition = plan.layouts[number], backbone.condition(FACTS)
    item = items_of(picture, backbone.dims)[[plan.items[number]]]
    known = backbone.encode(item).latent
    draws = same_draws(plan, number, seed, repeat, known.shape)
    flow = not isinstance(backbone.process, DiscreteProcess)

    def velocity(noisy, time):
        level = time if flow else (time + 1) / 1000
        return all_windows(lambda one: backbone.predict(one, level, condition), noisy, layout)

    mask = plan.masks[number].float()
    if flow:
        path = backbone.process.levels(settings.start, settings.steps, plan.window)
        found = slow_flow(known, mask, velocity, path, draws)
    else:
        times = [599 - 600 // settings.steps * n for n in range(settings.steps)]
        left = table(dict(tiny_config().schedule))
        found = slow_ddpm(known, mask, velocity, left, times, draws, settings.jumps, settings.eta)
    decoded = all_windows(backbone.decode, found.float(), layout, backbone.factor)
    return known, found.float(), decoded


def assert_as_naive(backbone, picture, found: PseudoHealthy, settings, repeat):
    plan = found.plan
    for number in range(len(plan.items)):
        known, latent, decoded = naive(backbone, picture, plan, settings, number, repeat)
        difference = (known - latent)[0]
        inside = difference[(slice(None), *plan.box)]
        assert torch.allclose(found.latent_difference[repeat, number], inside, atol=1e-4)
        difference[(slice(None), *plan.box)] = 0
        assert not difference.any()  # nothing changes where nothing was computed
        filled = found.filled[number]
        image = found.images[repeat, number]
        assert torch.allclose(image[filled], decoded[0, 0][found.box][filled], atol=1e-4)


SLICED = box_mask((5, 96, 64), ((1, 3), (20, 38), (11, 30)), ((3, 4), (2, 3), (60, 61)))


@pytest.mark.parametrize(("jumps", "eta"), [(1, 0.0), (2, 1.0)])
def test_in_slices_it_is_the_loop_over_everything(plane, jumps, eta):
    picture, settings = picture_of(5, 96, 64), replace(SETTINGS, jumps=jumps, eta=eta)
    found = run(plane, picture, SLICED, settings)
    assert found.plan.items == (1, 2, 3)
    assert len(found.plan.layouts[0].windows()) >= 4
    for repeat in range(2):
        assert_as_naive(plane, picture, found, settings, repeat)


def test_masks_larger_than_a_window_are_the_loop_over_everything_too(plane):
    settings = replace(SETTINGS, window=8, margin=0, seeds=1)
    picture = picture_of(80, 64)
    mask = box_mask((80, 64), ((9, 70), (5, 50)))
    found = run(plane, picture, mask, settings)
    assert len(found.plan.windows[0]) > 3
    assert_as_naive(plane, picture, found, settings, 0)


def test_in_three_dimensions_it_is_the_loop_over_everything(volume):
    picture = picture_of(32, 64, 32)
    mask = box_mask((32, 64, 32), ((10, 20), (50, 60), (3, 9)))
    found = run(volume, picture, mask, VOLUME_SETTINGS)
    layout = found.plan.layouts[0]
    assert (len(found.plan.windows[0]), len(layout.windows())) == (1, 3)
    assert found.images.shape == (1, 1, 32, 32, 32)
    assert_as_naive(volume, picture, found, VOLUME_SETTINGS, 0)


def test_shapes_and_ranges(plane):
    found = run(plane, picture_of(5, 96, 64), SLICED)
    places = [side.stop - side.start for side in found.plan.box]
    voxels = [4 * n for n in places]
    assert found.images.shape == (2, 3, *voxels) and found.images.dtype == torch.float32
    assert found.baseline.shape == found.filled.shape == (3, *voxels)
    assert found.latent_difference.shape == (2, 3, 4, *places)
    assert [side.stop - side.start for side in found.box] == voxels
    assert float(found.images.min()) >= 0 and float(found.images.max()) <= 1
    for number, item in enumerate(found.plan.items):
        masked = SLICED[item][found.box]
        assert bool((found.filled[number] | ~masked).all())


def test_the_latent_outside_the_mask_is_untouched_bit_for_bit(plane):
    found = run(plane, picture_of(5, 96, 64), SLICED)
    masks = found.plan.masks[(slice(None), *found.plan.box)][:, None]
    difference = found.latent_difference
    assert torch.equal(difference, difference * masks)
    assert bool((difference != 0).any(dim=2)[masks.squeeze(1).expand(2, -1, -1, -1)].all())


def test_slices_and_places_that_no_window_reads_are_never_looked_at(plane):
    """They are no numbers here, which would spread."""
    picture = picture_of(5, 96, 64)
    counting = Counting(plane)
    spoiled = picture.clone()
    spoiled[:, :, [0, 4]] = math.nan
    found = run(counting, spoiled, SLICED)
    assert torch.isfinite(found.images).all()
    assert counting.rows["encode"] == 3
    assert torch.equal(found.images, run(plane, picture, SLICED).images)

    latent = plane.encode(picture[0].transpose(0, 1)).latent
    mask = box_mask((5, 96, 64), ((2, 3), (40, 50), (30, 40)))
    wanted = run(plane, picture, mask, latent=latent)
    kept = latent[2][(slice(None), *wanted.plan.box)].clone()
    latent[:] = math.nan
    latent[2][(slice(None), *wanted.plan.box)] = kept
    counting = Counting(plane)
    assert torch.equal(run(counting, picture, mask, latent=latent).images, wanted.images)
    assert counting.rows["encode"] == 0


def test_latents_at_hand_spare_the_encoder_and_change_nothing(plane):
    picture = picture_of(5, 96, 64)
    latent = plane.encode(picture[0].transpose(0, 1)).latent
    wanted, found = run(plane, picture, SLICED), run(plane, picture, SLICED, latent=latent)
    assert torch.allclose(found.images, wanted.images, atol=1e-5)


def test_the_cost_is_known_before(plane):
    settings = replace(SETTINGS, jumps=2)
    counting, picture = Counting(plane), picture_of(5, 96, 64)
    plan = plan_inpainting(plane, SLICED, settings)
    assert run(counting, picture, SLICED, settings, plan=plan).plan is plan
    assert counting.rows["predict"] == plan.denoised_windows(settings) > 0
    assert counting.rows["decode"] == plan.decoded_windows(settings) > 0
    assert counting.most <= max(1, settings.places_at_once // math.prod(plan.window))


def test_memory_bounds_change_nothing_but_the_batches(plane):
    picture = picture_of(5, 96, 64)
    wanted = run(plane, picture, SLICED)
    for places in (1, 100, 100_000):
        found = run(plane, picture, SLICED, replace(SETTINGS, places_at_once=places))
        assert torch.allclose(found.images, wanted.images, atol=1e-5)
        assert torch.allclose(found.baseline, wanted.baseline, atol=1e-5)
        assert torch.allclose(found.latent_difference, wanted.latent_difference, atol=1e-4)


def test_a_seed_gives_what_it_gives_beside_more_of_them(plane):
    picture = picture_of(5, 96, 64)
    two, three = (run(plane, picture, SLICED, replace(SETTINGS, seeds=n)) for n in (2, 3))
    assert torch.allclose(two.images, three.images[:2], atol=1e-5)
    assert torch.equal(run(plane, picture, SLICED).images, two.images)
    inside = two.filled
    assert float((two.images[0] - two.images[1])[inside].abs().max()) > 1e-3
    other = run(plane, picture, SLICED, seed=1)
    assert float((other.images - two.images)[:, inside].abs().max()) > 1e-3
    # Slices that look alike do not get the noise of each other.
    alike = run(plane, picture[:, :, :1].repeat(1, 1, 5, 1, 1), SLICED)
    assert not torch.allclose(alike.images[0, 0], alike.images[0, 1], atol=1e-3)


def test_the_baseline_is_what_the_autoencoder_alone_gives_back(plane):
    picture = picture_of(64, 64)
    mask = box_mask((64, 64), ((20, 28), (24, 36)))
    found = run(plane, picture, mask, replace(SETTINGS, window=16, smallest_window=16))
    (window,) = found.plan.windows[0]
    assert window.read() == found.plan.box == (slice(0, 16), slice(0, 16))
    latent = plane.encode(picture).latent
    assert torch.allclose(found.baseline[0], plane.decode(latent)[0, 0], atol=1e-5)
    healthy = latent - found.latent_difference[:, 0]
    assert torch.allclose(found.images[:, 0], plane.decode(healthy)[:, 0], atol=1e-5)
    assert torch.equal(found.residual(picture), (found.baseline - found.images).abs())
    wanted = (picture[0] - found.images[:, 0]).abs()
    assert torch.allclose(found.residual(picture, against_baseline=False)[:, 0], wanted)


def test_images_fade_into_the_picture_where_skipped_windows_begin(plane):
    picture = picture_of(96, 64)
    mask = box_mask((96, 64), ((40, 48), (24, 36)))
    found = run(plane, picture, mask)
    assert found.plan.box[0].start > 0 and found.plan.box[0].stop < 24
    shown = found.cut(picture)[0]
    unlike = (found.baseline[0] - shown).abs().mean(dim=1)
    assert float(max(unlike[0], unlike[-1])) < 0.25 * float(unlike[len(unlike) // 2])
    inside = found.filled[0]
    whole = all_windows(plane.decode, plane.encode(picture).latent, found.plan.layouts[0], 4)
    assert torch.allclose(found.baseline[0][inside], whole[0, 0][found.box][inside], atol=1e-5)


@pytest.mark.parametrize("sides", [(96, 64), (5, 96, 64)])
def test_pasting_leaves_the_rest_as_it_was(plane, sides):
    picture = picture_of(*sides)
    mask = SLICED if len(sides) == 3 else SLICED[1]
    found = run(plane, picture, mask)
    before = picture.clone()
    pasted = found.paste(found.images[1], picture)
    assert torch.equal(picture, before) and pasted.shape == picture.shape
    assert torch.equal(found.cut(pasted), found.images[1])
    assert torch.equal(found.paste(found.cut(picture), pasted), picture)
    changed = (pasted != picture)[0, 0]
    reach = torch.zeros_like(mask)
    for part in [reach[item] for item in found.plan.items] if len(sides) == 3 else [reach]:
        part[found.box] = True
    assert bool((reach | ~changed).all()) and bool(changed.any())


def test_it_can_be_stopped_at_every_report_and_leaves_nothing(plane):
    settings = replace(SETTINGS, steps=2, seeds=1)
    picture, mask = picture_of(5, 96, 64), SLICED.clone()
    latent = plane.encode(picture[0].transpose(0, 1)).latent
    kept = [one.clone() for one in (picture, mask, latent)]
    reports = []
    wanted = run(plane, picture, mask, settings, latent=latent, progress=Progress(reports.append))
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1.0)
    assert {report.stage for report in reports} == {"Filling the mask", "Decoding"}
    state = torch.get_rng_state()
    for stop in range(len(reports)):
        heard = []
        progress = Progress(heard.append, lambda stop=stop, heard=heard: len(heard) == stop)
        with pytest.raises(Cancelled):
            run(plane, picture, mask, settings, latent=latent, progress=progress)
        assert len(heard) == stop
    assert all(map(torch.equal, (picture, mask, latent), kept))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(run(plane, picture, mask, settings, latent=latent).images, wanted.images)


def test_the_preview_shows_the_first_seed_s_estimate_when_it_is_asked(plane):
    picture, mask = picture_of(64, 64), box_mask((64, 64), ((20, 28), (24, 36)))
    counting, previews = Counting(plane), []
    progress = Progress(lambda report: previews.append(report.preview))
    found = run(counting, picture, mask, progress=progress, shown=lambda *what: what)
    decoded = counting.rows["decode"]
    last = [preview for preview in previews if preview is not None][-1]
    assert decoded == found.plan.decoded_windows(SETTINGS)
    items, shown = last()
    assert list(items) == [0]
    assert torch.allclose(shown, found.images[0], atol=1e-5)
    assert counting.rows["decode"] > decoded


@pytest.mark.parametrize(
    ("sides", "boxes"),
    [
        ((64, 48), [((0, 64), (0, 48))]),  # everything
        ((64, 48), [((63, 64), (0, 1))]),  # one voxel in a corner
        ((16, 16), [((3, 9), (3, 9))]),  # smaller than a window
        ((16, 96), [((3, 9), (3, 9)), ((0, 1), (95, 96))]),  # far apart
        ((1, 32, 32), [((0, 1), (4, 9), (4, 9))]),  # one slice
    ],
)
def test_odd_masks_and_sizes(plane, sides, boxes):
    picture, mask = picture_of(*sides), box_mask(sides, *boxes)
    settings = replace(SETTINGS, seeds=1, steps=2, window=8)
    found = run(plane, picture, mask, settings)
    assert torch.isfinite(found.images).all()
    assert_as_naive(plane, picture, found, settings, 0)


def test_volumes_as_thin_as_the_networks_allow(volume):
    picture = picture_of(32, 32, 32)
    found = run(volume, picture, torch.ones(32, 32, 32, dtype=torch.bool), VOLUME_SETTINGS)
    assert found.filled.all() and found.images.shape == (1, 1, 32, 32, 32)


@pytest.mark.parametrize("sides", [(32, 32), (3, 32, 32)])
def test_an_empty_mask_is_one_sentence(plane, sides):
    with pytest.raises(InputError, match="holds no voxel"):
        run(plane, picture_of(*sides), torch.zeros(sides, dtype=torch.bool))


def test_networks_that_give_no_numbers_are_told(plane):
    class Broken(Counting):
        def predict(self, noisy, level, condition):
            return noisy * math.inf

    with pytest.raises(ModelError, match=r"backbone/tiny.*not numbers"):
        run(Broken(plane), picture_of(32, 32), box_mask((32, 32), ((3, 9), (3, 9))))


def test_running_out_of_memory_is_told():
    class Full(Counting):
        dims, factor, multiple = 2, 4, 16

        def encode(self, image):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    with pytest.raises(Exception, match="not enough memory for the pseudo-healthy image"):
        pseudo_healthy(
            Full(None), picture_of(32, 32), None, box_mask((32, 32), ((3, 9), (3, 9))), None
        )


@given(st.data())
def test_plans_hold_every_masked_voxel(data):
    class Grid:
        dims, factor, multiple = data.draw(st.sampled_from([2, 3])), 2, 4

    sides = [4 * data.draw(st.integers(1, 6)) for _ in range(3)]
    mask = torch.zeros(sides, dtype=torch.bool)
    for _ in range(data.draw(st.integers(1, 4))):
        mask[tuple(data.draw(st.integers(0, n - 1)) for n in sides)] = True
    settings = PseudoHealthySettings(window=8, smallest_window=2, margin=1)
    plan = plan_inpainting(Grid, mask, settings)
    assert all(n % 2 == 0 and n <= 8 for n in plan.window)
    items = mask if Grid.dims == 2 else mask[None]
    assert plan.items == tuple(n for n in range(len(items)) if items[n].any())
    for number, item in enumerate(plan.items):
        box = tuple(slice(2 * side.start, 2 * side.stop) for side in plan.box)
        assert int(items[item][box].sum()) == int(items[item].sum())
        read = torch.zeros(plan.masks[number].shape, dtype=torch.bool)
        for window in plan.windows[number]:
            read[window.used()] = True
        assert bool(read[plan.masks[number]].all())


@pytest.mark.parametrize(
    "wrong",
    [{"seeds": 0}, {"window": 0}, {"smallest_window": 0}, {"margin": -1}, {"start": 0.0},
     {"eta": 2.0}, {"steps": 0}, {"jumps": 0}, {"places_at_once": 0}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).split("_")[0]):
        PseudoHealthySettings(**wrong)


def test_the_draws_of_the_slow_loop_are_fresh(plane):
    plan = plan_inpainting(plane, SLICED, SETTINGS)
    first, second = islice(same_draws(plan, 0, 0, 0, (1, 4, 24, 16)), 2)
    assert not torch.equal(first, second)
