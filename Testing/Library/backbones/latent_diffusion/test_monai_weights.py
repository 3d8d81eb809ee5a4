"""Weights as MONAI's GenerativeModels wrote them, and files that are refused."""

import re

import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.latent_diffusion.monai_weights import load_network
from DiffusionSegLib.errors import ModelError
from Testing.Library.backbones.latent_diffusion.tiny_monai import AUTOENCODER, NETWORK, build
from Testing.Library.backbones.test_weights import Trap
from Testing.Library.reference.awake import normal

LOOKING = {
    **AUTOENCODER, "with_encoder_nonlocal_attn": True, "with_decoder_nonlocal_attn": True,
}  # fmt: skip


def old_names(told, weights):
    """Today's weights by the names that GenerativeModels gave them."""
    rules = [(r"\.postconv\.", ".conv.")]
    if "Autoencoder" in told["_target_"]:
        rules += [(r"\.attn\.to_([qkv])\.", r".to_\1."), (r"\.attn\.out_proj\.", ".proj_attn.")]
    else:
        rules += [(r"(\.attn[12])\.out_proj\.", r"\1.to_out.0.")]
    found = {}
    for name, value in weights.items():
        for pattern, old in rules:
            name = re.sub(pattern, old, name)
        found[name] = value
    assert set(found) != set(weights) and len(found) == len(weights)
    return found


def arguments(told):
    return {name: value for name, value in told.items() if name != "_target_"}


def load(told, file, dtype=torch.float32):
    return load_network(told["_target_"].rpartition(".")[2], arguments(told), file, dtype)


@pytest.mark.parametrize("told", [AUTOENCODER, LOOKING, NETWORK], ids=["vae", "attention", "unet"])
def test_old_names_give_the_network_that_monai_makes_of_them(told, tmp_path):
    old = old_names(told, build(told, 5).state_dict())
    torch.save(old, tmp_path / "old.pt")
    found = load(told, tmp_path / "old.pt")
    wanted = build(told, 6)
    wanted.load_old_state_dict(dict(old))
    state = found.state_dict()
    assert set(state) == set(wanted.state_dict())
    assert all(torch.equal(state[name], value) for name, value in wanted.state_dict().items())
    if "Autoencoder" in told["_target_"]:
        picture = normal(1, 1, 16, 16)
        with torch.no_grad():
            assert torch.allclose(found.encode(picture)[0], wanted.encode(picture)[0], atol=1e-5)


@pytest.mark.parametrize("told", [AUTOENCODER, NETWORK], ids=["vae", "unet"])
def test_what_old_files_lack_is_not_left_at_random(told, tmp_path):
    """MONAI's own loader says nothing here."""
    old = old_names(told, build(told).state_dict())
    gone = next(name for name in old if "conv" in name and "postconv" not in name)
    old.pop(gone)
    torch.save(old, tmp_path / "old.pt")
    with pytest.raises(ModelError, match=rf"do not belong to its settings.*{re.escape(gone)}"):
        load(told, tmp_path / "old.pt")


def test_half_precision_is_asked_for(tmp_path):
    torch.save(build(NETWORK).state_dict(), tmp_path / "new.pt")
    found = load(NETWORK, tmp_path / "new.pt", torch.float16)
    assert {one.dtype for one in found.parameters()} == {torch.float16}
    assert not any(one.requires_grad for one in found.parameters())


def test_a_file_that_needs_objects_is_refused_and_nothing_runs(tmp_path):
    sprung, file = tmp_path / "sprung", tmp_path / "diffusion_model.pt"
    torch.save({**build(NETWORK).state_dict(), "trap": Trap(sprung)}, file)
    with pytest.raises(ModelError, match=r"holds Python code or objects .* nothing in it was run"):
        load(NETWORK, file)
    assert not sprung.exists()
    torch.save(build(NETWORK), file)  # a whole network, as some save it
    with pytest.raises(ModelError, match="holds Python code or objects"):
        load(NETWORK, file)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "cut off"), (b"junk" * 9, "cut off"), (None, "not a table of weights")],
)
def test_files_that_hold_no_weights_are_refused(tmp_path, content, word):
    file = tmp_path / "a.pt"
    torch.save([1, 2], file) if content is None else file.write_bytes(content)
    with pytest.raises(ModelError, match=word):
        load(NETWORK, file)


@pytest.mark.parametrize(
    "change",
    [
        {"channels": [9, 16, 24]},
        {"attention_levels": [True]},
        {"no_such_argument": 1},
        {"norm_num_groups": 0},
        {"channels": ["a", "b", "c"]},
        {"num_head_channels": 7},
    ],
)
def test_settings_that_describe_no_network_are_said(tmp_path, change):
    file = tmp_path / "new.pt"
    torch.save(build(NETWORK).state_dict(), file)
    with pytest.raises(ModelError, match=r"no network that can be built|do not belong"):
        load({**NETWORK, **change}, file)


def test_a_monai_that_is_too_old_is_said(monkeypatch, tmp_path):
    nets = optional_module("monai.networks.nets")
    monkeypatch.delattr(nets, "DiffusionModelUNet")
    with pytest.raises(ModelError, match=r"no DiffusionModelUNet.*pip install -U monai"):
        load(NETWORK, tmp_path / "any.pt")
