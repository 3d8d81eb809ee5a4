import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.training.diffugts.synthetic_lesions import add_lesion, blob
from Testing.Library.training.diffugts.tiny import body

SEEDS = st.integers(0, 10_000)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def picture(size=72, number=0):
    return body(size, number) / 255


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_the_lesion_is_in_the_body_and_a_blob(seed):
    image = picture()
    made, mask = add_lesion(image, generator(seed))
    assert made.shape == mask.shape == image.shape
    assert mask.dtype == torch.bool and made.dtype == torch.float32
    assert float(made.min()) >= 0 and float(made.max()) <= 1
    if bool(mask.any()):
        assert int(mask.sum()) >= 12
        near = torch.nn.functional.avg_pool2d(image[None, None], 5, 1, 2)[0, 0] > 0.08
        assert bool(near[mask].all())
        assert float(mask.float().mean()) < 0.6


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_the_seed_decides(seed):
    first, second = (add_lesion(picture(), generator(seed)) for _ in range(2))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])


def test_other_seeds_draw_other_lesions():
    drawn = [add_lesion(picture(), generator(seed)) for seed in range(12)]
    sizes = {int(mask.sum()) for _, mask in drawn}
    steps = [float((made - picture())[mask].mean()) for made, mask in drawn if bool(mask.any())]
    assert len(sizes) > 6
    assert min(steps) < -0.05 and max(steps) > 0.05  # darker ones and brighter ones


def test_the_mask_is_where_the_picture_changed():
    """Without mass effect; its border may be diffuse, so that the change there is half or less."""
    clear = 0
    for seed in range(30):
        image = torch.full((80, 80), 0.5)
        made, mask = add_lesion(image, generator(seed))  # of one shade: pushing shows nothing
        if not bool(mask.any()):
            continue
        changed = (made - image).abs()
        assert float(changed[mask].mean()) > 5 * float(changed[~mask].mean())
        clear += 1
    assert clear > 20


def test_the_background_is_not_written_to():
    image = picture()
    before = image.clone()
    add_lesion(image, generator(3))
    assert torch.equal(image, before)


@pytest.mark.parametrize("image", [torch.zeros(40, 40), torch.full((6, 6), 0.5)])
def test_without_a_body_nothing_grows(image):
    assert blob(image, generator(0)) is None
    made, mask = add_lesion(image, generator(0))
    assert torch.equal(made, image) and not bool(mask.any())
