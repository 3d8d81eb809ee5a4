import pytest

from DiffusionSegLib.errors import InputError, UnknownNameError
from DiffusionSegLib.training.backbone.recorded_command import training_command
from DiffusionSegLib.training.backbone.settings import PRESETS, TrainingSettings, choose_settings


def test_presets_and_overrides():
    assert choose_settings("cpu", {}) == TrainingSettings()
    chosen = choose_settings("gpu", {"batch": 7, "rate": 1, "bf16": True})
    assert (chosen.batch, chosen.rate, chosen.bf16) == (7, 1, True)
    assert chosen.steps == PRESETS["gpu"].steps != TrainingSettings().steps


@pytest.mark.parametrize(
    ("preset", "values", "told"),
    [
        ("tpu", {}, "preset 'tpu'"),
        ("cpu", {"batsh": 1}, "Did you mean 'batch'"),
        ("cpu", {"batch": "many"}, "batch cannot be 'many'"),
        ("cpu", {"batch": 1.5}, "batch cannot be 1.5"),
        ("cpu", {"steps": True}, "steps cannot be True"),
        ("cpu", {"bf16": 1}, "bf16 cannot be 1"),
        ("cpu", {"side": 100}, "multiple of 32 pixels, not 100"),
        ("cpu", {"batch": 0}, "at least 1, not 0"),
    ],
)
def test_what_does_not_fit_is_told(preset, values, told):
    with pytest.raises((InputError, UnknownNameError), match=told):
        choose_settings(preset, values)


def test_the_command_that_repeats_a_run():
    from dataclasses import asdict

    first, second = training_command(asdict(choose_settings("gpu", {"bf16": False}))).splitlines()
    assert first.endswith("--pack-only")
    assert second.endswith("--output runs/backbone --preset gpu --set bf16=false")
    chosen = choose_settings("cpu", {"steps": 7, "rate": 0.1})
    assert training_command(asdict(chosen)).endswith("--preset cpu --set steps=7 --set rate=0.1")
