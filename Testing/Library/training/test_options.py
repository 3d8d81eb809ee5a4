import argparse

import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.options import add_common_options, add_data_options, chosen_values


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_data_options(parser)
    add_common_options(parser, "0", "batch=32")
    parser.add_argument("--leave-out", default="")
    return parser.parse_args(words)


def test_only_what_was_given_replaces_a_preset():
    assert chosen_values(parsed(), ("seed", "leave_out")) == {}
    words = ("--set", "batch=3", "--seed", "0", "--leave-out", "Lung")
    assert chosen_values(parsed(*words), ("seed", "leave_out")) == {
        "batch": 3, "seed": 0, "leave_out": "Lung",
    }  # fmt: skip


def test_an_option_of_its_own_goes_before_a_setting_of_the_same_name():
    assert chosen_values(parsed("--set", "seed=5", "--seed", "7"), ("seed",)) == {"seed": 7}


def test_a_setting_without_a_value_is_a_sentence():
    with pytest.raises(InputError, match="NAME=VALUE"):
        chosen_values(parsed("--set", "batch"), ())
