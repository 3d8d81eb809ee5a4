import json

import pytest

from DiffusionSegLib.backbones.costs import Costs, plain_costs, read_costs
from DiffusionSegLib.backbones.manifest import parse_manifest
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError

COSTS = Costs(80_000_000, 0.002, 0.3, {"step": 1e-6}, {"window": 700.0}, 0.8)
BUNDLED = ["cdal/hippocampus", "cdal/nuclei", "cdal/sarcoma", "cdal/skin-lesion", "adzus/compact",
           "diffugts/compact"]  # fmt: skip


def test_they_are_read_as_they_were_written():
    assert read_costs(json.loads(json.dumps(plain_costs(COSTS)))) == COSTS
    assert read_costs(None) is None
    assert read_costs({"network_bytes": 1, "reference_s": 1}) == Costs(1, 1.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network_bytes": -1}, "network_bytes"), ({"network_bytes": 1.5}, "network_bytes"),
        ({"network_bytes": True}, "network_bytes"), ({"reference_s": 0}, "reference_s"),
        ({"reference_s": "fast"}, "reference_s"), ({"load_s": float("nan")}, "load_s"),
        ({"seconds": [1]}, "seconds"), ({"seconds": {"step": -1}}, "seconds step"),
        ({"sizes": {"window": None}}, "sizes window"), ({"draws": float("inf")}, "draws"),
        ({"speed": 1}, "'speed', which does not exist"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(change, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        read_costs({**plain_costs(COSTS), **change})
    card = json.loads((ModelStore().find("cdal", "nuclei").folder / "model.json").read_text())
    card["costs"] = {**plain_costs(COSTS), **change}
    with pytest.raises(ModelError, match=said):
        parse_manifest(json.dumps(card).encode(), tmp_path / "model.json")


def test_something_missing_is_said():
    with pytest.raises(KeyError, match="reference_s"):
        read_costs({"network_bytes": 1})
    with pytest.raises(TypeError):
        read_costs(3)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_model_says_what_it_costs(name):
    entry = ModelStore().find(*name.split("/"))
    assert entry.costs.network_bytes > 5_000_000 and entry.costs.seconds and entry.costs.sizes
    assert entry.needs.memory_bytes >= entry.costs.network_bytes
