"""What a run will cost is told from the card and the image; here it is held against real runs."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.forecast import Economy, Forecasting, RunWish
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box, Prompt
from Testing.Project.source import ROOT

NAMES = ["cdal/hippocampus", "cdal/nuclei", "cdal/sarcoma", "cdal/skin-lesion", "adzus/compact",
         "diffugts/compact"]  # fmt: skip
PLANE, SPACE = Geometry((1, 300, 500)), Geometry((70, 120, 90), (1.0, 1.0, 1.5))

_LIGHT = """
import sys
import numpy as np
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.forecast import RunWish
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
for method in ("cdal", "adzus", "diffugts"):
    image = Image(np.zeros((1, 40, 50, 60), np.int16), Geometry((40, 50, 60)))
    wish = RunWish(image, None, Prompt(), RunOptions())
    for model in ModelStore().list(method):
        found = get_method(method).forecast(model, wish)
        assert found.propose.times and found.words, model.id
        get_method(method).economies(model)
assert "torch" not in sys.modules
"""


def test_it_needs_no_torch():
    done = subprocess.run([sys.executable, "-c", _LIGHT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def opened(name):
    method, _, model = name.partition("/")
    return get_method(method), ModelStore().find(method, model)


def wish(geometry, prompt=None, region=None, **options):
    image = Image(np.zeros((1, *geometry.shape_kji), np.int16), geometry)
    return RunWish(image, region, prompt or Prompt(), RunOptions(**options))


def needed(model, forecast):
    sizes = model.costs.sizes
    return sum(units * sizes.get(kind, 0.0) for kind, units in forecast.propose.sizes.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("geometry", [PLANE, SPACE], ids=["plane", "volume"])
def test_every_cut_takes_less_or_the_same_and_some_take_less(name, geometry):
    method, model = opened(name)
    assert isinstance(method, Forecasting)
    can, asked = method.economies(model), wish(geometry)
    cuts = [Economy(False, number) for number in range(len(can.smaller) + 1)]
    sizes = [needed(model, method.forecast(model, replace(asked, economy=cut))) for cut in cuts]
    assert sizes == sorted(sizes, reverse=True)
    if can.half:
        half = replace(asked, economy=Economy(half=True))
        assert needed(model, method.forecast(model, half)) < sizes[0]


@pytest.mark.parametrize("name", NAMES)
def test_all_that_is_forecast_has_a_price_or_costs_nothing(name):
    """A kind that the card does not know would be forgotten in silence."""
    method, model = opened(name)
    known = {*model.costs.seconds, *model.costs.sizes}
    assert known, name
    kinds = set()
    for prompt in (Prompt(), Prompt(text="x"), Prompt(points=[(-250.0, -150.0, 0.0)])):
        found = method.forecast(model, wish(PLANE, prompt))
        volume = method.forecast(model, wish(SPACE, prompt))
        full = method.forecast(model, wish(PLANE, prompt, parameters={"precision": "float32"}))
        for one in (found, volume, full):
            kinds |= {*one.embed.times, *one.propose.times, *one.propose.sizes}
    assert known <= kinds | {"step", "window"}, "the card prices what is never forecast"


@pytest.mark.parametrize("name", NAMES)
def test_more_samples_and_larger_images_take_longer(name):
    method, model = opened(name)

    def seconds(asked):
        found = method.forecast(model, asked)
        times = model.costs.seconds
        parts = (found.embed, found.propose)
        return sum(n * times.get(k, 0.0) for part in parts for k, n in part.times.items())

    middle = tuple(SPACE.kji_to_ras([[35, 60, 45]])[0])
    click = Prompt(points=[middle])
    one = seconds(wish(SPACE, click, samples=2))
    assert seconds(wish(Geometry((70, 240, 180)), click, samples=2)) >= one
    block = Box(middle, (30.0, 30.0, 30.0))
    assert seconds(wish(SPACE, click, block, samples=2)) <= one
    if "samples" in method.forecast(model, wish(SPACE)).words:
        assert seconds(wish(SPACE, click, samples=9)) > one


def test_the_same_again_costs_less():
    for name in NAMES:
        method, model = opened(name)
        found = method.forecast(model, wish(SPACE, Prompt()))
        first, again = sum(found.propose.times.values()), sum(found.again.times.values())
        assert again < first, name
