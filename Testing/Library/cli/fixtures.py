"""What the tests of the front ends share: the test method, its models, small images."""

import json
from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib import methods
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.mask import Mask

EXTRA_METHODS = Path(__file__).parent / "extra_methods"


def _card(name, inputs, labels, default=False):
    return {
        "method": "smoothing",
        "name": name,
        "title": f"Test model {name}",
        "summary": "For tests.",
        "modality": ["MR"],
        "licence": {"name": "CC0-1.0"},
        "citation": "None.",
        "attribution": "None.",
        "files": [],
        "inputs": [{"name": part, "kind": "MR", "required": False} for part in inputs],
        "labels": [
            {"value": value, "name": part, "color_rgb": [1, 0.5, 0]}
            for value, part in enumerate(labels, 1)
        ],
        "settings": {},
        "default": default,
        "splits": {"train": ["a"], "test": ["b", "c"]},
    }


@pytest.fixture
def smoothing(tmp_path, monkeypatch):
    """Registers the test method with its models; returns the folder of the models."""
    folder = tmp_path / "models"
    for card in (
        _card("bright", ["image"], ["spot"], default=True),
        _card("pair", ["ct", "mr"], ["spot"]),
        _card("parts", ["image"], ["core", "rim"]),
    ):
        place = folder / "smoothing" / card["name"]
        place.mkdir(parents=True)
        (place / "model.json").write_text(json.dumps(card))
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(EXTRA_METHODS)])
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(folder))
    return folder


GEOMETRY = Geometry((12, 24, 20), (1.0, 1.0, 2.0), (-5.0, 10.0, 30.0))
SPOT = (slice(4, 9), slice(8, 18), slice(6, 14))


def bright_volume(value=200, place=SPOT, geometry=GEOMETRY):
    """A volume with a bright block in noise that is always the same."""
    array = np.random.default_rng(0).integers(0, 20, geometry.shape_kji).astype(np.int16)
    array[place] = value
    return Image(array[None], geometry)


def spot_mask(place=SPOT, geometry=GEOMETRY):
    """The outline of the block."""
    array = np.zeros(geometry.shape_kji, np.uint8)
    array[place] = 1
    return Mask(array, geometry, (label_for(1, "spot"),))


@pytest.fixture
def volume(tmp_path):
    """A NIfTI file of a bright volume."""
    path = tmp_path / "volume.nii.gz"
    bright_volume().write(path)
    return path


@pytest.fixture
def photograph(tmp_path):
    """A grey PNG with a bright square."""
    array = np.full((1, 1, 60, 80), 20, np.uint8)
    array[..., 20:40, 30:60] = 220
    path = tmp_path / "photograph.png"
    Image(array, Geometry((1, 60, 80))).write(path)
    return path
