import pytest

from DiffusionSegLib.backbones.compact import words
from DiffusionSegLib.demo.samples import load_samples, samples_folder
from DiffusionSegLib.demo.shown import shown_samples


def test_all_three_methods_are_shown():
    shown, lack = shown_samples(samples_folder())
    assert {sample.method for sample in shown} == {"adzus", "cdal", "diffugts"} and not lack
    assert len({sample.id for sample in shown}) == len(shown)


@pytest.mark.parametrize("package", ["there-is-no-such-package"])
def test_without_the_text_encoder_words_are_left_out_and_it_is_said(monkeypatch, package):
    monkeypatch.setattr(words, "PACKAGE", package)
    shown, lack = shown_samples(samples_folder())
    assert package in lack and "DiffusionSeg[text]" in lack
    assert "diffugts" not in {sample.method for sample in shown}
    assert len(shown) > len(load_samples(samples_folder()))
