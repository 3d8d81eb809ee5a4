import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.cli import arguments
from DiffusionSegLib.cli.arguments import PointArgument, join_negative_coordinates

numbers = st.floats(-1e4, 1e4, allow_nan=False)


@given(st.lists(numbers, min_size=2, max_size=3), st.sampled_from(["", ":+", ":-"]))
def test_points(values, sign):
    text = ",".join(repr(value) for value in values) + sign
    assert arguments.point(text) == PointArgument(tuple(values), sign != ":-")


@given(
    st.sampled_from([4, 6]).flatmap(lambda count: st.lists(numbers, min_size=count, max_size=count))
)
def test_boxes(values):
    assert arguments.box(",".join(repr(value) for value in values)) == tuple(values)


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (arguments.point, "1", "a point is x,y,z"),
        (arguments.point, "1,2,3,4", "a point is x,y,z"),
        (arguments.point, "1,2,x", "'x' is not a number"),
        (arguments.point, "1,2,nan", "'nan' is not a finite number"),
        (arguments.point, "1,2,3:*", "':\\+' or ':-'"),
        (arguments.box, "1,2,3", "two corners"),
        (arguments.box, "1,2,3,4,5,inf", "finite"),
        (arguments.device, "gpu", "auto, cpu, mps, cuda, cuda:0, xpu or xpu:0"),
        (arguments.device, "cpu:1", "cuda:0"),
        (arguments.device, "cudo", "did you mean 'cuda'"),
        (arguments.device, "xpu:", "did you mean 'xpu'"),
        (arguments.threshold, "0", "above 0"),
        (arguments.threshold, "1.01", "up to 1"),
        (arguments.threshold, "half", "not a number"),
        (arguments.whole_number(1), "0", "at least 1"),
        (arguments.whole_number(1, 5), "6", "at most 5"),
        (arguments.whole_number(1), "1.5", "not a whole number"),
        (arguments.label_values, "1,256", "at most 255"),
        (arguments.names, "ct,,mr", "different names"),
        (arguments.names, "ct,ct", "different names"),
        (arguments.setting, "steps", "name=value"),
    ],
)
def test_one_sentence_for_each_wrong_value(read, text, sentence):
    with pytest.raises(argparse.ArgumentTypeError, match=sentence):
        read(text)


@pytest.mark.parametrize(
    "text", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:12", "xpu", "xpu:3"]
)
def test_devices(text):
    assert arguments.device(text) == text


def test_lists_and_settings():
    assert arguments.label_values("1,2") == (1, 2)
    assert arguments.names("ct, mr") == ("ct", "mr")
    assert arguments.setting("mode=a=b") == ("mode", "a=b")
    assert arguments.threshold("1") == 1.0


def test_negative_coordinates_are_joined_to_their_option():
    given_words = ["a.nii", "--point", "-1,2,3", "--box", "-.5,0,0,1,1,1", "--seed", "-1"]
    assert join_negative_coordinates(given_words) == [
        "a.nii", "--point=-1,2,3", "--box=-.5,0,0,1,1,1", "--seed", "-1",
    ]  # fmt: skip


def test_other_words_stay_apart():
    words = ["--point", "1,2,3", "--point=-1,2,3", "--point", "--text", "x", "--", "--point", "-1"]
    assert join_negative_coordinates(words) == words
