import json
import string
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.backbones.maisi.conditioning import REGIONS
from DiffusionSegLib.methods.diffugts.asked_target import AskedTarget, asked_target

KNOWN = json.loads((files("DiffusionSegLib.methods.diffugts") / "anatomy.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "organ", "finding", "modality"),
    [
        ("brain tumor", "brain", "tumor", ""),
        ("outline the tumour in the liver on CT", "liver", "tumor", "CT"),
        ("Hepatic-vessel tumor", "liver", "tumor", ""),
        ("hepatic vessel tumor", "hepatic vessel", "tumor", ""),
        ("GLIOMA", "brain", "glioma", ""),
        ("sarcoma", "soft tissue", "sarcoma", ""),
        ("sarcoma of the lung", "lung", "sarcoma", ""),
        ("T2 multiple sclerosis lesions", "brain", "multiple sclerosis lesion", "MR"),
        ("liver", "liver", "", ""),
        ("something odd", "", "", ""),
        ("masses", "", "tumor", ""),
        ("Leber", "", "", ""),
        ("脑肿瘤", "", "", ""),
        ("опухоль мозга", "", "", ""),
        ("", "", "", ""),
        ("lesional", "", "", ""),
        ("armchair factory", "", "", ""),
    ],
)
def test_what_a_text_names(text, organ, finding, modality):
    found = asked_target(text)
    assert (found.organ, found.finding, found.modality) == (organ, finding, modality)
    assert found.region == (tuple(KNOWN["organs"][organ]["region"]) if organ else None)


def test_every_name_finds_its_own_entry():
    for kind, field in (("organs", "organ"), ("findings", "finding"), ("modalities", "modality")):
        for name, entry in KNOWN[kind].items():
            for word in entry["words"]:
                assert getattr(asked_target(f"the {word.upper()}, please"), field) == name, word


def test_regions_are_those_that_models_are_told():
    for name, entry in KNOWN["organs"].items():
        first, last = entry["region"]
        assert REGIONS.index(first) <= REGIONS.index(last), name
    implied = [entry.get("organ") for entry in KNOWN["findings"].values()]
    assert {one for one in implied if one} <= set(KNOWN["organs"])


@given(st.text(), st.sampled_from(["brain", "tumor", "liver"]))
def test_any_text_is_read(text, word):
    """Signs are no words, so a name between them is found."""
    assert isinstance(asked_target(text), AskedTarget)
    signs = "".join(one for one in text if one in string.punctuation and one not in "_-'")
    found = asked_target(f"{signs} {word} {signs}")
    assert found.organ or found.finding
