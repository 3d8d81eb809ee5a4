import json

from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.planning.plan import Plan

NUMBER = st.none() | st.floats(0, 1e6)


@given(st.lists(st.text(), max_size=3), NUMBER, st.none() | st.integers(0), st.booleans())
def test_a_plan_travels(said, seconds, size, small):
    region = Box((1, 2, 3), (4, 5, 6), ((0, 1, 0), (1, 0, 0), (0, 0, -1))) if small else None
    plan = Plan("cuda:0", "About", tuple(said), seconds, size, size, False, True, 2, 3, region)
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
