from DiffusionSegLib.methods.cdal import METHOD
from DiffusionSegLib.methods.cdal.predictor import CdalPredictor
from Testing.Library.toy_model import write_toy


def test_every_default_is_valid_and_survives_a_command_line():
    names = [part.name for part in METHOD.description.parameters]
    assert len(set(names)) == len(names)
    for part in METHOD.description.parameters:
        assert part.validate(part.default) == part.default
        assert part.parse(str(part.default)) == part.default
        assert part.title
        assert part.description.endswith(".")
        assert part.source


def test_what_it_says_it_can_do():
    description = METHOD.description
    assert description.refines
    assert description.trains
    assert "text" not in description.prompts
    assert "2502.06997" in description.citation


def test_open_gives_a_predictor(tmp_path):
    predictor = METHOD.open(write_toy(tmp_path, "gray"), "cpu")
    assert isinstance(predictor, CdalPredictor)
    assert predictor.device == "cpu"
