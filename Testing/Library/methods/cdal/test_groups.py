import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.groups import group_count


@pytest.mark.parametrize(
    ("channels", "groups"), [(128, 32), (256, 32), (64, 16), (32, 8), (8, 2), (4, 1), (1, 1)]
)
def test_as_released(channels, groups):
    assert group_count(channels) == groups


def test_where_it_does_not_divide_the_next_smaller():
    assert group_count(36) == 9
    assert group_count(42) == 7  # 42 / 4 = 10.5: neither 10 nor 9 nor 8 divides 42


@given(st.integers(1, 2000))
def test_it_always_divides(channels):
    groups = group_count(channels)
    assert channels % groups == 0
    assert 1 <= groups <= max(1, min(channels // 4, 32))
