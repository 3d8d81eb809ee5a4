import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.vocabulary import content_words, is_pathology


@pytest.mark.parametrize(
    "text",
    [
        "liver tumor", "Liver Tumour", "skin lesions", "lung infection", "infected wound",
        "nodules", "intracranial haemorrhage", "hemorrhage", "hepatic metastases", "metastasis",
        "opacities", "ground-glass opacity", "pulmonary oedema", "edema", "a large mass", "mole",
        "ischaemic area",
        "glioblastoma", "the tumor's border", "abnormal tissue", "COVID",
    ],
)  # fmt: skip
def test_pathology_is_known_in_several_spellings(text):
    assert is_pathology(text)


@pytest.mark.parametrize(
    "text",
    ["liver", "cell nucleus", "left lung", "massive airway", "molecule", "hippocampus", "",
     "spleen", "white blood cell", "scarf"],
)  # fmt: skip
def test_healthy_anatomy_is_not(text):
    assert not is_pathology(text)


def said(text):
    return [text[first:end] for first, end in content_words(text)]


def test_words_that_say_nothing_are_left_out():
    assert said("a photograph of the left lung, in CT") == ["left", "lung", "CT"]
    assert said("the of in") == []
    assert said("Crohn's disease 12") == ["Crohn's", "disease"]
    assert said("печень и lung-base") == ["печень", "и", "lung-base"]


@given(st.text(max_size=60))
def test_spans_lie_in_the_text_in_order(text):
    spans = content_words(text)
    flat = [place for span in spans for place in span]
    assert flat == sorted(flat)
    assert all(text[first:end].strip() for first, end in spans)
