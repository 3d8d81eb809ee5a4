"""What is trained, in one file: written, read back, and refused when it does not fit."""

import json

import pytest
import torch

from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.networks import (
    NetworksConfig,
    TrainedNetworks,
    load_networks,
)
from Testing.Library.methods.diffugts.toys import CONFIG, toy_card, toy_networks, write_card


def test_a_config_goes_through_a_card():
    values = json.loads(json.dumps(CONFIG.to_dict()))
    assert NetworksConfig.from_dict(values) == CONFIG
    for name in values:
        with pytest.raises(ModelError, match=name):
            NetworksConfig.from_dict({k: v for k, v in values.items() if k != name})


def test_what_was_written_is_what_is_loaded(tmp_path):
    networks = toy_networks()
    entry = write_card(tmp_path, toy_card("trained"), networks)
    found = load_networks(entry, "cpu")
    wanted = networks.state_dict()
    assert {value.dtype for value in found.state_dict().values()} == {torch.float32}
    assert not any(one.requires_grad for one in found.parameters()) and not found.training
    for name, value in found.state_dict().items():
        torch.testing.assert_close(value, wanted[name].half().float())


def test_all_that_is_trained_is_small():
    """At most 4 MB, in half precision, with the bundled backbone's features."""
    count = sum(one.numel() for one in TrainedNetworks(CONFIG).parameters())
    assert CONFIG.maps.channels == (64, 128, 128)
    assert 2 * count < 4_000_000


def test_weights_of_other_networks_are_refused(tmp_path):
    card = toy_card("trained")
    entry = write_card(tmp_path, card, toy_networks())
    card["settings"]["networks"]["residual_inner"] = 16
    card["files"] = json.loads((entry.folder / "model.json").read_text())["files"]
    (entry.folder / "model.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="do not fit the networks"):
        load_networks(read_manifest(entry.folder / "model.json"), "cpu")


def test_damaged_weights_are_refused(tmp_path):
    entry = write_card(tmp_path, toy_card("trained"), toy_networks())
    file = entry.folder / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match="sha256"):
        load_networks(entry, "cpu")
