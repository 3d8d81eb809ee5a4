import pytest
import torch

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.backbones.maisi.conditioning import condition_of
from DiffusionSegLib.backbones.maisi.variants import find_variant
from DiffusionSegLib.errors import InputError

LIKE = torch.zeros(2, 4, 8, 8, 8)


def arguments(name, facts, guided=True):
    return condition_of(facts, find_variant(name)).arguments(LIKE, guided)


def test_ddpm_is_told_spacing_and_regions_times_a_hundred():
    """configs/config_maisi_diff_model_ddpm-ct.json; the spacing of arrays is z first."""
    told = arguments("ddpm-ct", ScanFacts("", "ct", (2.5, 0.8, 0.7), ("head", "pelvis")))
    assert sorted(told) == [
        "bottom_region_index_tensor", "spacing_tensor", "top_region_index_tensor",
    ]  # fmt: skip
    torch.testing.assert_close(told["spacing_tensor"], torch.tensor([[70.0, 80.0, 250.0]] * 2))
    assert told["top_region_index_tensor"].tolist() == [[100, 0, 0, 0]] * 2
    assert told["bottom_region_index_tensor"].tolist() == [[0, 0, 0, 100]] * 2


def test_an_unknown_region_is_the_most_frequent_of_the_training():
    told = arguments("ddpm-ct", ScanFacts())
    assert told["top_region_index_tensor"][0].tolist() == [0, 100, 0, 0]
    assert told["bottom_region_index_tensor"][0].tolist() == [0, 0, 100, 0]


@pytest.mark.parametrize(
    ("name", "modality", "code"),
    [
        ("rflow-ct", "", 1), ("rflow-ct", "CT", 1), ("rflow-mr", "", 8), ("rflow-mr", "mr", 8),
        ("rflow-mr", "t1", 9), ("rflow-mr", "T2 ", 10), ("rflow-mr-brain", "flair", 11),
        ("rflow-mr-brain", "flair_skull_stripped", 31), ("rflow-mr-brain", "swi", 20),
    ],
)  # fmt: skip
def test_rectified_flow_is_told_the_modality(name, modality, code):
    told = arguments(name, ScanFacts(modality=modality, region=("head", "head")))
    assert sorted(told) == ["class_labels", "spacing_tensor"]
    assert told["class_labels"].tolist() == [code, code]
    assert told["class_labels"].dtype == torch.int64
    assert arguments(name, ScanFacts(modality=modality), guided=False)["class_labels"][0] == 0


@pytest.mark.parametrize(("name", "modality"), [("rflow-ct", "t1"), ("ddpm-ct", "mr")])
def test_mr_is_not_taken_for_ct(name, modality):
    with pytest.raises(InputError, match=r"was trained on CT .* not '(t1|mr)'"):
        arguments(name, ScanFacts(modality=modality))


def test_ct_is_not_taken_for_mr():
    with pytest.raises(InputError, match="was trained on MR"):
        arguments("rflow-mr", ScanFacts(modality="ct"))


def test_impossible_regions_are_refused():
    with pytest.raises(InputError, match="head, chest, abdomen, pelvis"):
        arguments("ddpm-ct", ScanFacts(region=("head", "knee")))
    with pytest.raises(InputError, match="pelvis lies below chest"):
        arguments("ddpm-ct", ScanFacts(region=("pelvis", "chest")))
