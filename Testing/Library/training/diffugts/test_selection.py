import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL, SYNTHETIC
from DiffusionSegLib.training.diffugts.selection import chosen_cuts, cut_weights
from Testing.Library.training.diffugts.tiny import tiny_settings


def kinds(prepared, numbers):
    return {(prepared.kind[n], prepared.cuts[n].role) for n in numbers}


def test_all_is_taken_by_default(prepared):
    numbers = chosen_cuts(prepared, tiny_settings(), "train")
    assert {("bright", REAL), ("dark", REAL), ("plain", HEALTHY)} <= kinds(prepared, numbers)
    assert numbers == [n for n, part in enumerate(prepared.part) if part == "train"]


@pytest.mark.parametrize("part", ["train", "validation"])
@pytest.mark.parametrize("anatomy", [True, False])
def test_the_left_out_type_is_never_shown(prepared, part, anatomy):
    settings = tiny_settings(leave_out="bright", anatomy_of_left_out=anatomy)
    found = kinds(prepared, chosen_cuts(prepared, settings, part))
    own = {role for kind, role in found if kind == "bright"}
    assert own == ({SYNTHETIC} if anatomy and part == "train" else set())
    assert ("dark", REAL) in found


def test_on_its_anatomy_the_real_tumor_is_out_of_the_loss(prepared, pack):
    settings = tiny_settings(leave_out="bright")
    for n in chosen_cuts(prepared, settings, "train"):
        cut = prepared.cuts[n]
        if prepared.kind[n] == "bright":
            rows, columns = cut.shape
            real = (cut.image[:rows, :columns] > 185) & ~cut.mask[:rows, :columns]
            left = real & ~cut.ignored[:rows, :columns]
            assert int(left.sum()) < 40  # a tumor would have some 200; the rest is texture


def test_an_unknown_type_is_refused(prepared):
    with pytest.raises(InputError, match="known are bright, dark"):
        chosen_cuts(prepared, tiny_settings(leave_out="kidney"), "train")


def test_weights_go_with_the_square_root_of_the_count(prepared):
    numbers = chosen_cuts(prepared, tiny_settings(), "train")
    weights = dict(zip(numbers, cut_weights(prepared, tiny_settings(), numbers, 2.0), strict=True))
    for n, weight in weights.items():
        same = [m for m in numbers if (prepared.kind[m], prepared.cuts[m].role)
                == (prepared.kind[n], prepared.cuts[n].role)]  # fmt: skip
        share = {REAL: 1.0, SYNTHETIC: 0.5, HEALTHY: 2.0}[prepared.cuts[n].role]
        assert weight == pytest.approx(share / len(same) ** 0.5)
