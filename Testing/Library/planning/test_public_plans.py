"""Plans for the models that are fetched at first use: what they take is known before they are."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.backbones.maisi.autoencoder import Windows
from DiffusionSegLib.backbones.maisi.variants import VARIANTS
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts import forecast as diffugts
from DiffusionSegLib.methods.forecast import RunWish
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.planning.calibration import Calibrations
from DiffusionSegLib.planning.planner import Planner, Standing
from DiffusionSegLib.planning.room import usable_bytes
from Testing.Project.source import ROOT

PICTURES = ["stable-diffusion-1-5", "stable-diffusion-2-1-base", "prompt2medimage",
            "cxr-bert-ldm", "monai-cxr-ldm"]  # fmt: skip
VOLUMES = ["maisi-ddpm-ct", "maisi-rflow-ct", "maisi-rflow-mr", "maisi-rflow-mr-brain"]
PUBLIC = [*(f"adzus/{name}" for name in PICTURES), *(f"diffugts/{name}" for name in VOLUMES)]
PLENTY, SIX = 500_000_000_000, 6_000_000_000


class Fixed(Calibrations):
    def seconds(self, device):
        return 0.002


def opened(name):
    method, _, model = name.partition("/")
    return get_method(method), ModelStore().find(method, model)


def wish(geometry):
    image = Image(np.zeros((1, *geometry.shape_kji), np.int16), geometry)
    middle = tuple(geometry.kji_to_ras([[(side - 1) / 2 for side in geometry.shape_kji]])[0])
    return RunWish(image, None, Prompt(points=[middle]), RunOptions())


def planned(name, geometry, free, device="cpu"):
    one = Planner(
        *opened(name), calibrations=Fixed(), free=lambda _: free, fast_half=lambda _: False
    )
    asked = wish(geometry)
    rungs = one.ladder(asked, device)
    return one.plan(asked, rungs, one.choose(asked, rungs, Standing()), Standing())


def sizes_of(name):
    """A small and a large image of the kind that the model reads."""
    if name.startswith("adzus"):
        return Geometry((1, 256, 256)), Geometry((1, 512, 512))
    return Geometry((60, 60, 60), (1.5, 1.5, 1.5)), Geometry((120, 200, 200), (1.5, 1.5, 1.5))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_model_says_what_it_costs(name):
    _, entry = opened(name)
    costs = entry.costs
    assert costs.seconds and costs.sizes and costs.load_s > 0
    assert 0 < costs.half_network_bytes < costs.network_bytes <= entry.needs.memory_bytes
    assert planned(name, sizes_of(name)[0], PLENTY).memory_bytes >= costs.network_bytes


@pytest.mark.parametrize("name", PUBLIC)
def test_with_little_room_it_fits_with_less_or_may_be_too_much(name):
    for geometry in sizes_of(name):
        plan = planned(name, geometry, SIX)
        assert plan.seconds > 0 and "About" in plan.words
        assert plan.fits == (plan.memory_bytes <= usable_bytes(SIX))
        assert plan.fits != ("that may be too much: 6.0 GB are free" in plan.words)
        asked = planned(name, geometry, PLENTY)
        assert not asked.adjusted and asked.fits
        if asked.memory_bytes > usable_bytes(SIX):
            assert plan.adjusted and "because only 6.0 GB are free" in plan.words
            assert plan.memory_bytes < asked.memory_bytes


@pytest.mark.parametrize("name", PUBLIC)
def test_a_computer_that_is_too_small_for_the_network_is_told(name):
    _, entry = opened(name)
    plan = planned(name, sizes_of(name)[1], entry.costs.network_bytes)
    assert not plan.fits and "that may be too much" in plan.words and plan.adjusted


@pytest.mark.parametrize("name", PUBLIC)
def test_larger_images_take_longer_and_more_memory(name):
    small, large = (planned(name, geometry, PLENTY) for geometry in sizes_of(name))
    assert large.memory_bytes > small.memory_bytes + 100_000_000
    assert large.seconds > 1.2 * small.seconds


@pytest.mark.parametrize("name", PUBLIC)
def test_half_precision_halves_the_network_on_a_gpu(name):
    _, entry = opened(name)
    geometry = sizes_of(name)[0]
    saved = planned(name, geometry, PLENTY).memory_bytes - planned(
        name, geometry, PLENTY, "cuda:0"
    ).memory_bytes
    assert saved == entry.costs.network_bytes - entry.costs.half_network_bytes > 300_000_000


def test_nothing_is_loaded_for_a_plan():
    program = """
import json, sys
from Testing.Library.planning.test_public_plans import PUBLIC, SIX, planned, sizes_of
words = [planned(name, sizes_of(name)[1], SIX).words for name in PUBLIC]
print(json.dumps([words, sorted({"diffusers", "monai", "transformers"} & set(sys.modules))]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    words, loaded = json.loads(done.stdout)
    assert len(words) == len(PUBLIC) and all(" GB on the proc" in one for one in words)
    assert loaded == []


def test_what_is_forecast_of_maisi_is_what_its_networks_do():
    kind = diffugts._KINDS["maisi"]
    for variant in VARIANTS.values():
        assert kind.factor == variant.autoencoder.factor
        assert kind.multiple == kind.factor * 2**variant.denoiser.halvings
    assert math.prod(Windows().encode) == diffugts._ENCODED_AT_ONCE


def test_memory_of_maisi_grows_no_further_than_its_windows():
    method, model = opened("diffugts/maisi-rflow-ct")
    places = []
    for side in (120, 384, 768):
        asked = wish(Geometry((side, side, side), (1.5, 1.5, 1.5)))
        asked = replace(asked, run=RunOptions(samples=1))
        places.append(method.forecast(model, asked).propose.sizes["at once"])
    assert places[0] == 32**3 and places[1] == places[2] == 64**3
