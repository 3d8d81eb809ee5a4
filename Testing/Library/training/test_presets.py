from dataclasses import asdict, dataclass

import pytest

from DiffusionSegLib.errors import InputError, UnknownNameError
from DiffusionSegLib.training.presets import choose_preset, given_settings, read_overrides


@dataclass(frozen=True)
class Settings:
    steps: int = 4
    rate: float = 0.5
    name: str = ""
    fast: bool | None = None
    more: bool = True


PRESETS = {"cpu": Settings(), "gpu": Settings(steps=100, rate=0.1)}


def test_a_preset_with_changes():
    found = choose_preset(PRESETS, "gpu", {"rate": 1, "name": "x", "fast": True, "more": False})
    assert found == Settings(100, 1, "x", True, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", 1.5), ("steps", True), ("rate", "fast"), ("name", 3), ("fast", 1), ("more", "no")],
)
def test_a_value_of_another_kind_is_refused(name, value):
    with pytest.raises(InputError, match=f"{name} cannot be"):
        choose_preset(PRESETS, "cpu", {name: value})


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="no preset 'tpu'"):
        choose_preset(PRESETS, "tpu", {})
    with pytest.raises(UnknownNameError, match="no training setting 'step'"):
        choose_preset(PRESETS, "cpu", {"step": 3})


def test_overrides():
    given = ["steps=3", "rate=1e-3", "more=false", "name=two words", "fast=null"]
    assert read_overrides(given) == {
        "steps": 3, "rate": 1e-3, "more": False, "name": "two words", "fast": None,
    }  # fmt: skip
    with pytest.raises(InputError, match="NAME=VALUE"):
        read_overrides(["steps"])


def test_given_settings_say_the_settings_again():
    settings = Settings(steps=99, rate=0.1, more=False)
    told = given_settings(asdict(settings), PRESETS)
    assert told == "--preset gpu --set steps=99 --set more=false"
    words = told.split()
    assert choose_preset(PRESETS, words[1], read_overrides(words[3::2])) == settings
