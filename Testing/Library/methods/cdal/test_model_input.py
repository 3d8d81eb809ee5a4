import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.intensity import IntensityRule
from DiffusionSegLib.methods.cdal.model_input import channel_source, match_channels
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from Testing.Library.toy_model import smooth_image, toy_session, write_toy

RGB = ("red", "green", "blue")
SPACE = Geometry((4, 6, 8))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {name: write_toy(folder, name) for name in ("gray", "color", "pair", "either")}


def image(*names):
    return smooth_image(SPACE, names)


@pytest.mark.parametrize(
    ("model", "names", "places"),
    [
        ("pair", ("CT", "MR"), (0, 1)), ("pair", ("MR", "CT"), (1, 0)), ("pair", ("ct",), (0,)),
        ("pair", ("Mr", "cT"), (1, 0)), ("pair", ("a", "b"), (0, 1)), ("pair", ("CT", "b"), (0, 1)),
        ("pair", ("a", "CT"), (1, 0)), ("pair", ("MR", "b"), (1, 0)), ("pair", ("a", "MR"), (0, 1)),
        ("either", ("MR",), (1,)), ("either", ("CT",), (0,)), ("gray", ("image",), (0,)),
        ("gray", ("t1 scan",), (0,)),
    ],
)  # fmt: skip
def test_channels_are_matched_by_name_and_else_in_order(models, model, names, places):
    given_image = image(*names)
    found, matched = match_channels(models[model], given_image)
    assert matched == places
    assert found is given_image


@pytest.mark.parametrize(
    ("model", "names", "words"),
    [
        ("either", ("image",), ["CT (optional) and MR (optional)", "1 channel?", "--channels ct"]),
        ("either", ("a", "b", "c"), ["3 channels?", "--channels ct,mr"]),
        ("pair", ("MR",), ["also needs CT"]),
        ("pair", ("MR", "mr"), ["2 channels?", "--channels ct,mr"]),
        ("gray", ("a", "b"), ["takes MR", "2 channels?", "--channels mr"]),
        ("gray", RGB, ["takes MR", "colour picture"]),
        ("pair", RGB, ["takes CT and MR (optional)", "colour picture"]),
        ("color", ("a", "b"), ["takes a colour or gray picture, not 2 channels"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_sentence(models, model, names, words):
    with pytest.raises(InputError) as refusal:
        match_channels(models[model], image(*names))
    for word in (f"The model cdal/{model}", *words):
        assert word in str(refusal.value)


@pytest.mark.parametrize("names", [("a", "b"), ("CT", "MR"), ("MR", "CT")])
def test_a_ct_and_an_mr_that_are_exchanged_are_told(models, names):
    ct = np.random.default_rng(0).integers(-1000, 1000, SPACE.shape_kji)
    mr = np.random.default_rng(1).integers(0, 900, SPACE.shape_kji)
    ct_first = Image(np.stack([ct, mr]), SPACE, names)
    mr_first = Image(np.stack([mr, ct]), SPACE, names)
    good, wrong = (mr_first, ct_first) if names[0] == "MR" else (ct_first, mr_first)
    assert match_channels(models["pair"], good)[0] is good
    with pytest.raises(InputError, match=r"exchanged: .* no value below 0, and .* down to -9"):
        match_channels(models["pair"], wrong)
    unsigned = Image(np.stack([ct + 1024, mr]), SPACE, ("CT", "MR"))
    assert match_channels(models["pair"], unsigned)[1] == (0, 1)


def test_a_gray_picture_is_three_equal_channels_for_a_colour_model(models):
    gray = image("image")
    found, places = match_channels(models["color"], gray)
    assert places == (0, 1, 2)
    assert found.is_rgb or len(found.array) == 3
    assert all(np.array_equal(found.array[n], gray.array[0]) for n in range(3))
    color = image(*RGB)
    assert match_channels(models["color"], color)[0] is color


def test_the_order_of_named_channels_does_not_change_the_answer(tmp_path):
    session = toy_session(tmp_path, "pair", samples=1)
    both = image("CT", "MR")
    answers = []
    for order in ((0, 1), (1, 0)):
        array = np.ascontiguousarray(both.array[list(order)])
        session.set_image(Image(array, SPACE, tuple(both.channel_names[n] for n in order)))
        answers.append(session.propose().probability.array)
    assert np.array_equal(*answers)
    session.set_image(both.channel(0))
    assert not np.array_equal(session.propose().probability.array, answers[0])


def test_either_channel_alone_and_both_are_answered_differently(tmp_path):
    session = toy_session(tmp_path, "either", samples=1)
    both, answers = image("CT", "MR"), []
    for part in (both, both.channel(0), both.channel(1)):
        session.set_image(part)
        answers.append(session.propose().probability.array)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert not np.array_equal(answers[first], answers[second])


@given(st.permutations([0, 1, 2]), st.integers(1, 3))
def test_windows_carry_channels_at_their_places_and_zero_elsewhere(order, present):
    places = order[:present]
    stored = smooth_image(SPACE, [str(n) for n in range(present)])
    rules = [IntensityRule("window", 0, 1000 * (n + 1)) for n in range(3)]
    source = channel_source(stored, places, rules)
    assert source.shape == SPACE.shape_kji
    window = source.take((1, 1, 1), (2, 3, 4))
    assert window.shape == (3, 2, 3, 4)
    for channel, place in enumerate(places):
        part = stored.array[channel, 1:3, 1:4, 1:5].astype(float)
        expected = np.clip(part / (500 * (place + 1)) - 1, -1, 1)
        assert window[place] == pytest.approx(expected, abs=1e-5)
    for place in set(range(3)) - set(places):
        assert not window[place].any()
    one = source.slice(1)
    assert one.shape == (1, 6, 8)
    assert np.array_equal(one.take((0, 1, 1), (1, 3, 4))[:, 0], window[:, 0])
    assert np.shares_memory(one.array, stored.array)
