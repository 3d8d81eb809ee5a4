import pytest

from DiffusionSegLib.backbones.compact.model import CompactDiffusion
from DiffusionSegLib.backbones.latent_diffusion.monai_bundle import MonaiDiffusion
from DiffusionSegLib.backbones.latent_diffusion.pipeline import DiffusersPipeline
from DiffusionSegLib.backbones.opening import open_backbone
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError, UnknownNameError
from Testing.Library.backbones.compact.tiny import write_model
from Testing.Library.backbones.latent_diffusion.tiny import save_pipeline
from Testing.Library.backbones.latent_diffusion.tiny_monai import save_bundle


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A card's folder in which a pipeline and a bundle lie."""
    card = tmp_path_factory.mktemp("models") / "adzus" / "own"
    pipeline = save_pipeline(card / "pipeline")
    save_bundle(card / "bundle", pipeline)
    return card


@pytest.mark.parametrize(
    ("kind", "source", "wanted"),
    [("pipeline", "pipeline", DiffusersPipeline), ("monai", "bundle", MonaiDiffusion)],
)
def test_a_folder_beside_the_card_is_opened(places, kind, source, wanted):
    settings = {"kind": kind, "source": source}
    assert isinstance(open_backbone(settings, "cpu", folder=places), wanted)
    full = {"kind": kind, "source": str(places / source)}
    for folder in (None, places.parent):
        assert isinstance(open_backbone(full, "cpu", folder=folder), wanted)
    with pytest.raises(ModelError, match=f"no model folder '{source}'"):
        open_backbone(settings, "cpu")


def test_the_store_s_model_is_opened_by_name(tmp_path):
    write_model(tmp_path / "backbone" / "tiny")
    store = ModelStore([tmp_path])
    found = open_backbone({"kind": "compact", "name": "tiny"}, "cpu", store)
    assert isinstance(found, CompactDiffusion) and found.name == "backbone/tiny"
    with pytest.raises(UnknownNameError, match=r"no model of backbone 'lost'"):
        open_backbone({"kind": "compact", "name": "lost"}, "cpu", store)


@pytest.mark.parametrize("settings", [{"kind": "gan"}, {}, {"kind": None}, {"kind": []}, None, "a"])
def test_an_unknown_kind_is_a_sentence(settings):
    with pytest.raises(ModelError, match=r"one of compact, monai, pipeline\.$"):
        open_backbone(settings, "cpu")


@pytest.mark.parametrize("kind", ["compact", "pipeline", "monai"])
@pytest.mark.parametrize("value", [None, "", "  ", 5, ["a/b"]])
def test_what_names_no_model_is_a_sentence(kind, value):
    with pytest.raises(ModelError, match=r"needs a '(name|source)' in the model's settings"):
        open_backbone({"kind": kind, "name": value, "source": value}, "cpu", ModelStore([]))
