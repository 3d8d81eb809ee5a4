import numpy as np
import pytest

from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.embedding import embed_image
from DiffusionSegLib.methods.diffugts.intensities import IntensityRule
from DiffusionSegLib.methods.diffugts.run_settings import RunSettings
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid
from DiffusionSegLib.methods.diffugts.workload import diffugts_trial, diffugts_workload
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.methods.diffugts.backbones import Counting, plane_backbone

CARD = {"inpainting": {"steps": 5, "seeds": 3, "window": 8, "smallest_window": 8}}


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return Counting(plane_backbone(tmp_path_factory.mktemp("models")))


def work(backbone, shape, prompt, **parameters):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(1, *shape)
    image = Image(array, Geometry(shape, (1, 1, 5)))
    rule = IntensityRule((-160, 240), (0, 100))
    embedding = embed_image(image, None, backbone, WorkingGrid(2, 64), rule)
    settings = RunSettings.of(RunOptions(parameters=parameters), CARD)
    return diffugts_workload(backbone, embedding, prompt, settings)


MARKED, WORDS = Prompt(points=[(-1.0, -1.0, 0.0)]), Prompt(text="tumor")


def test_it_counts_places_in_passes(backbone):
    found = work(backbone, (1, 64, 64), MARKED)
    assert found.units == 8 * 8 * 3 * 5 and not found.exact
    assert found.words == "one image, 3 samples of 5 steps"
    assert found.memory_bytes == 64 * 64 * 24
    repeated = work(backbone, (1, 64, 64), MARKED, jumps=2)
    assert repeated.units == 8 * 8 * 3 * 9 and "9 steps" in repeated.words


def test_words_cost_a_look_at_every_slice(backbone):
    marked, words = (work(backbone, (8, 64, 64), prompt) for prompt in (MARKED, WORDS))
    assert words.units - marked.units == 4 * 8 * 16 * 16
    assert marked.units == 2 * 64 * 15  # a quarter of the slices
    assert marked.words.startswith("up to 8 slices")


def test_the_trial_is_one_window(backbone):
    before = dict(backbone.rows)
    settings = RunSettings.of(RunOptions(), CARD)
    assert diffugts_trial(backbone, settings) == 64
    assert backbone.rows["predict"] - before["predict"] == 1
