import pytest

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.coarse_mask import CoarseSettings
from DiffusionSegLib.methods.diffugts.description import DESCRIPTION
from DiffusionSegLib.methods.diffugts.inpainting_plan import PseudoHealthySettings
from DiffusionSegLib.methods.diffugts.run_settings import EVIDENCE, RunSettings

CARD = {
    "inpainting": {"steps": 7, "start": 0.4, "seeds": 2},
    "coarse": {"canvas": 50},
    "grow_pixels": 2,
}


def test_without_anything_said_all_is_usual():
    found = RunSettings.of(RunOptions(), {})
    assert (found.coarse, found.inpainting) == (CoarseSettings(), PseudoHealthySettings())
    assert (found.modality, found.evidence, found.grow_mm) == ("auto", "all", 0.0)


def test_the_user_goes_before_the_card():
    run = RunOptions(samples=5, parameters={"start": 0.9, "jumps": 2, "grow_mm": 6.5})
    found = RunSettings.of(run, CARD)
    inpainting = found.inpainting
    assert (inpainting.start, inpainting.steps, inpainting.jumps, inpainting.seeds) == (
        0.9,
        7,
        2,
        5,
    )
    assert (found.coarse.canvas, found.grow_pixels, found.grow_mm) == (50, 2.0, 6.5)


def test_zero_means_the_model_s_own():
    run = RunOptions(parameters={"start": 0.0, "steps": 0, "jumps": 0, "grow_mm": 0.0})
    assert RunSettings.of(run, CARD) == RunSettings.of(RunOptions(), CARD)


@pytest.mark.parametrize(
    "broken",
    [
        {"inpainting": {"stpes": 7}}, {"coarse": {"size": 3}}, {"inpainting": {"seeds": 0}},
        {"inpainting": {"steps": 0}}, {"inpainting": {"start": 1.5}},
        {"inpainting": {"steps": "a"}},
    ],
)  # fmt: skip
def test_a_card_s_settings_are_checked(broken):
    (name,) = broken
    with pytest.raises(ModelError, match=f"card's {name} settings"):
        RunSettings.of(RunOptions(), broken)


@pytest.mark.parametrize("spec", DESCRIPTION.parameters, ids=lambda spec: spec.name)
def test_every_value_that_the_user_may_choose_is_taken(spec):
    values = spec.choices or (spec.default, spec.minimum, spec.maximum)
    for value in values:
        RunSettings.of(RunOptions(parameters={spec.name: spec.validate(value)}), CARD)
    if spec.name == "evidence":
        assert spec.choices == EVIDENCE and spec.default == EVIDENCE[-1]
