import pytest

from DiffusionSegLib.methods.diffugts.asked_target import asked_target
from DiffusionSegLib.methods.diffugts.prompt_pair import healthy_description, prompt_pair


@pytest.mark.parametrize(
    ("text", "modality", "normal", "abnormal", "healthy"),
    [
        ("glioma", "mr", "A normal MR of brain", "An abnormal MR of brain with glioma",
         "MR of healthy brain"),
        ("liver cyst on CT", "mr", "A normal CT of liver", "An abnormal CT of liver with cyst",
         "CT of healthy liver"),
        ("", "", "A normal scan of the body", "An abnormal scan of the body with tumor",
         "scan of healthy tissue"),
        ("kidney", "ct", "A normal CT of kidney", "An abnormal CT of kidney with tumor",
         "CT of healthy kidney"),
    ],
)  # fmt: skip
def test_an_image_is_described_healthy_and_ill(text, modality, normal, abnormal, healthy):
    target = asked_target(text)
    pair = prompt_pair(target, modality)
    assert pair.texts == (pair.normal, pair.abnormal) == (normal, abnormal)
    assert healthy_description(target, modality) == healthy
