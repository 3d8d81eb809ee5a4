import json

import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.worker.setup import Setup


def test_it_travels():
    setup = Setup("cdal", "sarcoma", "cuda:1", 7, 3, {"tolerance": 0.5, "precision": "float32"})
    assert Setup.from_dict(json.loads(json.dumps(setup.to_dict()))) == setup
    assert Setup.from_dict({"method": "cdal"}) == Setup("cdal")


def test_seed_samples_and_parameters_do_not_decide_the_network():
    base = Setup("cdal", "m")
    assert base.network == Setup("cdal", "m", seed=3, samples=2, parameters={"a": 1}).network
    for other in (Setup("x", "m"), Setup("cdal"), Setup("cdal", "m", "cpu")):
        assert base.network != other.network


@pytest.mark.parametrize("values", [{}, {"method": "a", "speed": 3}, 5, None])
def test_nonsense_is_one_sentence(values):
    with pytest.raises(InputError, match="set-up of a request cannot be read"):
        Setup.from_dict(values)
