import pytest
import torch

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.cdal.batches import Batches
from DiffusionSegLib.training.cdal.pack import Pack
from Testing.Library.training.cdal.tiny_task import disc_pack, tiny_task

CPU = torch.device("cpu")


def draws(count: int, labels: int = 1, pack: Pack | None = None, seed: int = 0, **training):
    rng = torch.Generator().manual_seed(seed)
    batches = Batches(tiny_task(labels, **training), pack or disc_pack(labels), rng)
    return [batches.draw(CPU) for _ in range(count)]


@pytest.mark.parametrize("labels", [1, 2])
def test_batches_are_images_and_masks_of_plus_minus_one(labels):
    (batch,) = draws(1, labels, batch=5)
    assert batch.image.shape == (5, 1, 16, 16)
    assert batch.clean.shape == batch.given.shape == (5, 1 if labels == 1 else 3, 16, 16)
    assert set(batch.clean.unique().tolist()) == {-1.0, 1.0}
    assert batch.image.abs().max() <= 1


def test_the_generator_alone_decides_what_is_drawn():
    first, second, other = draws(3), draws(3), draws(3, seed=1)
    assert all(torch.equal(a.image, b.image) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0].image, other[0].image)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_negatives_are_drawn_as_often_as_asked(probability, share):
    pack = disc_pack()
    found = draws(100, pack=pack, negative_probability=probability, corruption_probability=0.0)
    empty = torch.cat([(b.clean < 0).flatten(1).all(dim=1) for b in found]).float().mean()
    assert float(empty) == pytest.approx(share, abs=0.12)


def test_without_negatives_all_cases_have_the_object():
    pack = Pack({"train": disc_pack().part("train")})
    found = draws(10, pack=pack, negative_probability=0.9)
    assert all(bool((b.clean > 0).flatten(1).any(dim=1).all()) for b in found)


def test_the_given_mask_has_errors_in_some_samples_only():
    found = draws(60, corruption_probability=0.5, negative_probability=0.0)
    wrong = torch.cat([(b.given != b.clean).flatten(1).any(dim=1) for b in found]).float().mean()
    assert 0.2 < float(wrong) < 0.7
    assert all(torch.equal(b.given, b.clean) for b in draws(5, corruption_probability=0.0))


def test_every_training_case_is_drawn():
    pack = disc_pack()
    marked = [c.image.fill_(n / 8) for n, c in enumerate(pack.part("train"))]
    quiet = {"negative_probability": 0.0, "corruption_probability": 0.0}
    found = draws(40, pack=pack, **quiet)
    means = torch.cat([b.image.flatten(1).mean(dim=1) for b in found])
    assert len(marked) == 4
    assert float(means.max() - means.min()) > 0.2


def test_training_without_cases_is_a_sentence():
    with pytest.raises(InputError, match="no training cases"):
        draws(1, pack=Pack({"validation": disc_pack().part("validation")}))
