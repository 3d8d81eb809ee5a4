import gc

import numpy as np

from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding
from DiffusionSegLib.methods.cdal.first_outline import FirstOutline
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.toy_model import smooth_image, toy_session

GRID = Geometry((1, 4, 4))


def embedding() -> CdalEmbedding:
    return CdalEmbedding(GRID, 2, GRID, None)


def test_it_is_remembered_for_this_image_and_these_settings_only():
    first, mine = FirstOutline(), embedding()
    first.keep(mine, RunOptions(seed=1, parameters={"a": 2}), "drawn")
    assert first.get(mine, RunOptions(seed=1, parameters={"a": 2})) == "drawn"
    assert first.get(mine, RunOptions(seed=1, parameters={"a": 2}, preview=True)) == "drawn"
    assert first.get(mine, RunOptions(seed=2, parameters={"a": 2})) is None
    assert first.get(mine, RunOptions(seed=1, samples=3, parameters={"a": 2})) is None
    assert first.get(mine, RunOptions(seed=1, parameters={"a": 3})) is None
    assert first.get(embedding(), RunOptions(seed=1, parameters={"a": 2})) is None


def test_it_does_not_keep_an_image_in_memory():
    first, mine = FirstOutline(), embedding()
    first.keep(mine, RunOptions(), np.zeros(3))
    del mine
    gc.collect()
    assert first._kept is None


def test_a_click_after_a_first_look_gives_what_it_gives_at_once(tmp_path):
    geometry = Geometry((1, 30, 28))
    image = smooth_image(geometry)
    click = Prompt(points=[tuple(geometry.kji_to_ras([[0, 12, 9]])[0])])
    answers = []
    for looks in (0, 1):
        session = toy_session(tmp_path, "gray")
        session.set_image(image)
        for _ in range(looks):
            session.propose(Prompt())
        answers.append(session.propose(click).probability.array)
    assert np.array_equal(*answers)
