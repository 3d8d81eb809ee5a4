import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.options import Option, different


def bar(length, start=0):
    outline = np.zeros((4, 30), dtype=bool)
    outline[1, start : start + length] = True
    return Option(outline, 0.5)


def test_an_overlap_of_four_fifths_is_the_same():
    assert not bar(10).differs(bar(8))  # 8 / 10
    assert bar(10).differs(bar(7))
    assert bar(10).differs(bar(10, 2))  # 8 / 12
    assert bar(5).differs(bar(5, 10))
    assert bar(0).differs(bar(1))


@given(st.integers(0, 999))
def test_overlap_is_that_of_sets(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.random((6, 6)) < 0.7, rng.random((6, 6)) < 0.9
    first, second = ({tuple(p) for p in np.argwhere(m)} for m in (one, other))
    wanted = len(first & second) < 0.8 * max(1, len(first | second))
    assert Option(one, 0.1).differs(Option(other, 0.1)) == wanted


def test_the_first_of_what_is_alike_stays():
    ranked = [bar(20), bar(19), bar(10), bar(9), bar(5), bar(2)]
    found = different(ranked, 3)
    assert [id(one) for one in found] == [id(ranked[n]) for n in (0, 2, 4)]
    assert len(different(ranked, 10)) == 4
    assert different([], 3) == ()


def test_no_more_are_made_than_needed():
    made = []

    def endless():
        while True:
            made.append(bar(25 - 6 * len(made)))
            yield made[-1]

    assert len(different(endless(), 2)) == 2
    assert len(made) <= 3
