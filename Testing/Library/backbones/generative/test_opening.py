import subprocess
import sys

import pytest
import torch

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError, UnknownNameError
from Testing.Library.backbones.compact.tiny import write_model
from Testing.Library.reference.awake import normal


def test_the_bundled_model_opens_with_the_stages_that_it_says():
    backbone = open_generative({"kind": "compact", "name": "compact"}, "cpu")
    assert backbone.dims == 2 and "CC" in backbone.licence
    found = backbone.encode(normal(1, 1, 64, 32).sigmoid())
    assert found.latent.shape == (1, backbone.latent_channels, 16, 8)
    sizes = [(s.shape[1], 64 // s.shape[2]) for s in found.stages]
    assert sizes == list(zip(backbone.stage_channels, backbone.stage_factors, strict=True))
    assert 0.5 < float(found.latent.std()) < 2  # scaled as the denoising network wants it
    output = backbone.predict(found.latent, 0.5, backbone.condition(ScanFacts()))
    assert output.shape == found.latent.shape and output.dtype == torch.float32


def test_a_model_of_another_store_opens(tmp_path):
    write_model(tmp_path / "backbone" / "tiny")
    backbone = open_generative({"kind": "compact", "name": "tiny"}, "cpu", ModelStore((tmp_path,)))
    assert (backbone.name, backbone.multiple) == ("backbone/tiny", 16)


@pytest.mark.parametrize(
    "settings", [{}, {"kind": "sd"}, {"kind": None}, {"kind": ["x"]}, None, "x"]
)
def test_kinds_that_are_not_known_are_told(settings):
    with pytest.raises(ModelError, match="compact, maisi"):
        open_generative(settings, "cpu")


@pytest.mark.parametrize("name", [None, "", " ", 3])
def test_a_compact_model_needs_a_name(name):
    with pytest.raises(ModelError, match="needs a 'name'"):
        open_generative({"kind": "compact", "name": name}, "cpu")


def test_names_that_do_not_exist_are_told():
    with pytest.raises(UnknownNameError, match="compact"):
        open_generative({"kind": "compact", "name": "compect"}, "cpu")


def test_monai_is_not_loaded_for_other_kinds():
    code = (
        "import sys\n"
        "from DiffusionSegLib.backbones.generative.opening import open_generative\n"
        "open_generative({'kind': 'compact', 'name': 'compact'}, 'cpu')\n"
        "assert not {'monai', 'diffusers', 'transformers'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
