import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.backbones.maisi.opening import open_maisi
from DiffusionSegLib.backbones.maisi.variants import find_variant
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError, UnknownNameError
from Testing.Library.backbones.maisi.tiny_maisi import (
    SCALE,
    config_of,
    monai_networks,
    open_tiny,
    save_maisi,
    tiny_variant,
)  # fmt: skip
from Testing.Library.reference.awake import normal

pytest.importorskip("monai", reason="MONAI is part of the hub extra")

NAME = "rflow-ct"
DENOISER = find_variant(NAME).denoiser_file.path
AUTOENCODER = find_variant(NAME).autoencoder_file.path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return save_maisi(tmp_path_factory.mktemp("made") / "maisi", NAME)


@pytest.fixture
def folder(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "maisi"))


def step(model):
    return model.predict(normal(1, 4, 8, 8, 8), 0.5, model.condition(ScanFacts()))


def test_weights_are_read_with_the_scale_beside_them(folder):
    model = open_tiny(folder, NAME)
    autoencoder, denoiser = monai_networks(tiny_variant(NAME))
    assert model.autoencoder.scale == SCALE
    for ours, theirs in ((model.denoiser, denoiser), (model.autoencoder.network, autoencoder)):
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value)
    assert not any(one.requires_grad for one in model.denoiser.parameters())


def test_safetensors_go_first_and_give_the_same(folder):
    before = open_tiny(folder, NAME)
    weights = dict(before.denoiser.state_dict()) | {"scale_factor": torch.tensor(2.5)}
    save_file(weights, (folder / DENOISER).with_suffix(".safetensors"))
    save_file(before.autoencoder.network.state_dict(), folder / "autoencoder_v1.safetensors")
    (folder / AUTOENCODER).unlink()
    after = open_tiny(folder, NAME)
    assert after.autoencoder.scale == 2.5
    assert after.weights_sha256 != before.weights_sha256
    torch.testing.assert_close(step(after), step(before), atol=1e-5, rtol=1e-4)


def test_an_autoencoder_may_be_wrapped_as_well(folder):
    weights = torch.load(folder / AUTOENCODER, weights_only=True)
    torch.save({"unet_state_dict": weights}, folder / AUTOENCODER)
    open_tiny(folder, NAME)


def test_parts_may_lie_elsewhere(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (folder / AUTOENCODER).rename(other / "mine.pt")
    (folder / DENOISER).rename(folder / "flow.pt")
    changes = {"denoiser": "flow.pt", "autoencoder": {"source": str(other), "file": "mine.pt"}}
    open_tiny(folder, NAME, **changes)
    (other / "mine.pt").rename(folder / "mine.pt")
    open_tiny(folder, NAME, **changes | {"autoencoder": "mine.pt"})


def test_paths_start_in_the_cards_folder(folder):
    settings = {"variant": NAME, "source": folder.name, "config": config_of(NAME)}
    open_maisi(settings, "cpu", ModelStore(()), folder.parent)
    with pytest.raises(ModelError, match="no model folder 'maisi'"):
        open_maisi(settings, "cpu", ModelStore(()), folder)


@pytest.mark.parametrize("gone", [DENOISER, AUTOENCODER])
def test_a_missing_file_is_named(folder, gone):
    (folder / gone).unlink()
    with pytest.raises(ModelError, match=rf"weights {gone} .* are not in .*\.safetensors"):
        open_tiny(folder, NAME)


@pytest.mark.parametrize("broken", [DENOISER, AUTOENCODER])
def test_a_file_that_was_cut_off_is_damaged(folder, broken):
    file = folder / broken
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ModelError, match=r"cut off or no PyTorch checkpoint"):
        open_tiny(folder, NAME)


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("was_run"),))


def test_code_in_a_checkpoint_is_not_run(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"unet_state_dict": {"a": torch.ones(1)}, "loss": Evil()}, folder / DENOISER)
    with pytest.raises(ModelError, match="nothing in it was run"):
        open_tiny(folder, NAME)
    assert not (tmp_path / "was_run").exists()


def test_a_scale_of_monais_own_kind_is_read(folder):
    """The authors' training computes it of a scan, whose affine matrix it keeps along."""
    from monai.data import MetaTensor

    scan = MetaTensor(normal(1, 4, 8, 8, 8), meta={"affine": np.eye(4), "spacing": np.ones(3)})
    content = torch.load(folder / DENOISER, weights_only=True)
    torch.save(content | {"scale_factor": 1 / torch.std(scan)}, folder / DENOISER)
    scale = open_tiny(folder, NAME).autoencoder.scale
    assert scale == pytest.approx(1 / float(torch.std(normal(1, 4, 8, 8, 8))))


@pytest.mark.parametrize("scale", [None, float("nan"), 0.0, -1.0])
def test_without_a_usable_scale_nothing_is_opened(folder, scale):
    content = torch.load(folder / DENOISER, weights_only=True)
    content["scale_factor"] = scale if scale is None else torch.tensor(scale)
    torch.save(content, folder / DENOISER)
    with pytest.raises(ModelError, match="no usable scale_factor"):
        open_tiny(folder, NAME)
    assert open_tiny(folder, NAME, scale_factor=0.9).autoencoder.scale == 0.9


def test_weights_of_another_network_are_refused(folder):
    with pytest.raises(ModelError, match=r"the denoiser in .* do not belong to its settings"):
        open_tiny(folder, NAME, config={"autoencoder": config_of(NAME)["autoencoder"]})
    content = torch.load(folder / DENOISER, weights_only=True)
    content["unet_state_dict"].popitem()
    torch.save(content, folder / DENOISER)
    with pytest.raises(ModelError, match="do not belong to its settings"):
        open_tiny(folder, NAME)


def test_unused_projections_of_ddpm_are_left_out(tmp_path):
    """The published checkpoint has them; MONAI's tutorials issue 2042."""
    folder = save_maisi(tmp_path / "m", "ddpm-ct")
    before = step(open_tiny(folder, "ddpm-ct"))
    file = folder / find_variant("ddpm-ct").denoiser_file.path
    content = torch.load(file, weights_only=True)
    weights = content["unet_state_dict"]
    for name in [one for one in weights if one.endswith(".attn.to_q.weight")]:
        weights[name.replace("to_q", "out_proj")] = torch.ones_like(weights[name])
    torch.save(content, file)
    assert torch.equal(step(open_tiny(folder, "ddpm-ct")), before)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"windows": 3}, "no 'windows'"),
        ({"source": 5}, "source in the settings .* not 5"),
        ({"denoiser": ""}, "denoiser in the settings"),
        ({"autoencoder": {"file": 3}}, "autoencoder's file"),
        ({"guidance": -1}, "guidance .* not -1"),
        ({"guidance": "2"}, "guidance"),
        ({"num_splits": 0}, "num_splits"),
        ({"num_splits": True}, "num_splits"),
        ({"overlap": 1.0}, "overlap"),
        ({"encode_window": [64, 64, 60]}, "three multiples of 16"),
        ({"encode_window": 64}, "three multiples of 16"),
        ({"decode_window": [8, 8]}, "three multiples of 4"),
        ({"config": {"unet": {}}}, "not 'unet'"),
        ({"scale_factor": "1"}, "no usable scale_factor"),
    ],
)
def test_wrong_settings_are_told(made, changes, said):
    with pytest.raises(ModelError, match=said):
        open_tiny(made, NAME, **changes)


def test_a_wrong_variant_is_told(made):
    with pytest.raises(UnknownNameError, match="variant of MAISI 'maisi'"):
        open_maisi({"variant": "maisi"}, "cpu", ModelStore(()), None)


def test_windows_are_told_as_arrays_are(made):
    model = open_tiny(made, NAME, encode_window=[16, 32, 48], decode_window=[4, 8, 12], overlap=0.2)
    assert model.autoencoder.windows.encode == (48, 32, 16)
    assert model.autoencoder.windows.decode == (12, 8, 4)
    assert model.autoencoder.windows.overlap == 0.2
    assert model.encode(normal(1, 1, 32, 32, 64)).latent.shape == (1, 4, 8, 8, 16)


def test_without_network_the_published_files_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    told = pytest.importorskip("huggingface_hub.constants", reason="comes with diffusers")
    monkeypatch.setattr(told, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="'nvidia/NV-Generate-CT' could not be fetched"):
        open_maisi({"variant": NAME}, "cpu", ModelStore(()), None)


def test_without_monai_it_says_what_to_install(made, monkeypatch):
    monkeypatch.setitem(
        __import__("sys").modules, "monai.apps.generation.maisi.networks.autoencoderkl_maisi", None
    )
    with pytest.raises(ModelError, match=r"pip install 'DiffusionSeg\[hub\]'"):
        open_tiny(made, NAME)
