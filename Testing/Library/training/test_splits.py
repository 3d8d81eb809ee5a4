from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.training.splits import PARTS, split_cases

names = st.lists(st.text("abcxyz01_", min_size=1, max_size=6), max_size=60)


@given(names, st.randoms(use_true_random=False))
def test_every_patient_falls_on_one_side_whatever_the_order(cases, random):
    split = split_cases(cases)
    assert set(split) == set(PARTS)
    members = [case for part in split.values() for case in part]
    assert sorted(members) == sorted(set(cases))
    shuffled = list(cases)
    random.shuffle(shuffled)
    assert split_cases(shuffled) == split


@given(st.integers(1, 300))
def test_shares_are_seventy_ten_twenty(count):
    split = split_cases(f"case{n:04}" for n in range(count))
    assert abs(len(split["train"]) - 0.7 * count) <= 0.5
    assert abs(len(split["validation"]) - 0.1 * count) <= 0.5
    assert len(split["test"]) == count - len(split["train"]) - len(split["validation"])


def test_strata_are_split_one_by_one():
    cases = [f"ct_{n:02}" for n in range(10)] + [f"mr_{n:02}" for n in range(20)]
    split = split_cases(cases, ("ct_", "mr_"))
    for part, ct, mr in (("train", 7, 14), ("validation", 1, 2), ("test", 2, 4)):
        assert sum(case.startswith("ct_") for case in split[part]) == ct
        assert sum(case.startswith("mr_") for case in split[part]) == mr


@given(names, st.lists(st.sampled_from(["a", "x0", "b"]), unique=True))
def test_a_case_of_no_stratum_is_not_lost(cases, strata):
    split = split_cases(cases, strata)
    assert sorted(case for part in split.values() for case in part) == sorted(set(cases))


def test_the_shuffle_never_changes():
    """Published models name their test cases; another shuffle would train on them."""
    split = split_cases(f"p{n}" for n in range(10))
    assert split == {
        "train": ["p6", "p0", "p9", "p8", "p3", "p5", "p1"],
        "validation": ["p4"],
        "test": ["p2", "p7"],
    }
