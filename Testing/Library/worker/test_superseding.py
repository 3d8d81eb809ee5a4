import pytest

from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.worker.requests import job_header
from DiffusionSegLib.worker.setup import Setup
from DiffusionSegLib.worker.superseding import supersedes

HERE = Box((0, 0, 0), (1, 2, 3))


def header(kind, key="a", model="m", region=None, seed=0):
    return job_header(kind, Setup("cdal", model, seed=seed), key, region)


@pytest.mark.parametrize("newer", ["propose", "refine"])
def test_an_outline_takes_the_place_of_outlines_and_estimates(newer):
    for older in ("propose", "refine", "estimate"):
        assert supersedes(header(newer), header(older, "b", "n", HERE))
        assert supersedes(header(newer), header(older))


@pytest.mark.parametrize("newer", ["propose", "refine", "prepare"])
def test_a_preparation_stays_when_it_is_needed(newer):
    assert not supersedes(header(newer, seed=3), header("prepare"))
    assert not supersedes(header(newer, region=HERE), header("prepare", region=HERE))
    for other in ({"key": "b"}, {"model": "n"}, {"region": HERE}):
        assert supersedes(header(newer), header("prepare", **other))


def test_a_region_that_travelled_is_the_same():
    import json

    travelled = json.loads(json.dumps(header("prepare", region=HERE)))
    assert not supersedes(header("propose", region=HERE), travelled)


def test_estimates_and_preparations_leave_outlines_alone():
    for newer in ("prepare", "estimate"):
        for older in ("propose", "refine"):
            assert not supersedes(header(newer, "b"), header(older))
    assert supersedes(header("estimate"), header("estimate", "b"))
    assert not supersedes(header("prepare", "b"), header("estimate"))


@pytest.mark.parametrize("kind", ["hello"])
def test_questions_stay(kind):
    for other in ("propose", "prepare", "estimate", "hello"):
        assert not supersedes(header(other), {"kind": kind})
        assert not supersedes({"kind": kind}, header(other))
