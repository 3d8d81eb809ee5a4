"""The real encoder of sentences, which comes with a package."""

import pytest
import torch

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.asked_target import asked_target
from DiffusionSegLib.methods.diffugts.prompt_pair import PromptPair, prompt_pair
from DiffusionSegLib.methods.diffugts.text_side import TextSide


@pytest.fixture(scope="module")
def texts():
    return TextSide({"kind": "minilm"}, "cpu", None)


def test_a_pair_is_two_vectors_normal_first(texts):
    found = texts.vectors(prompt_pair(asked_target("liver tumor"), "ct"))
    assert found.shape == (2, 384) and found.dtype == torch.float32
    turned = texts.vectors(PromptPair("An abnormal CT of liver with tumor", "A normal CT of liver"))
    torch.testing.assert_close(turned.flip(0), found, rtol=1e-3, atol=1e-4)


def test_organs_lie_further_apart_than_spellings(texts):
    def vector(text):
        return texts.vectors(prompt_pair(asked_target(text), "mr"))[1]

    liver, tumour, brain = vector("liver tumor"), vector("tumour of the liver"), vector("glioma")
    assert torch.equal(liver, tumour)
    assert float(torch.cosine_similarity(liver, brain, dim=0)) < 0.95


def test_a_pair_is_embedded_once(texts):
    pair = prompt_pair(asked_target("kidney cyst"))
    assert texts.vectors(pair) is texts.vectors(PromptPair(*pair.texts))


@pytest.mark.parametrize("settings", [None, {"kind": "clap"}, "minilm "])
def test_an_encoder_that_is_not_known_is_said_when_the_first_text_comes(settings):
    side = TextSide(settings, "cpu", None)
    with pytest.raises(ModelError, match="text encoder"):
        side.vectors(prompt_pair(asked_target("glioma")))
