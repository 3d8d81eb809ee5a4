"""A model whose weights lie in a folder of the user's own needs nothing of the hub."""

from dataclasses import replace

import pytest

from DiffusionSegLib.backbones.fetching.hub_parts import hub_parts
from DiffusionSegLib.backbones.fetching.standing import wants_licence
from DiffusionSegLib.backbones.store import ModelStore


@pytest.mark.parametrize(
    "name", ["adzus/monai-cxr-ldm", "adzus/stable-diffusion-1-5", "diffugts/maisi-rflow-ct"]
)
def test_its_licence_is_not_asked_for(name, tmp_path):
    (tmp_path / "own").mkdir()
    entry = ModelStore().find(*name.split("/"))
    assert hub_parts(entry) and wants_licence(entry)
    backbone = {**entry.settings["backbone"], "source": "own"}
    mine = replace(entry, folder=tmp_path, settings={**entry.settings, "backbone": backbone})
    assert hub_parts(mine) == () and not wants_licence(mine)
