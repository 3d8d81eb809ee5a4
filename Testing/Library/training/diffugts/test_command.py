import pytest

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.cli.plugins import trainable_methods
from DiffusionSegLib.training.diffugts.pack import write_pack
from Testing.Library.training.diffugts.tiny import tiny_pack

SMALL = (
    "side=64", "canvas=48", "cuts=0.25", "twins=1", "twin_steps=1", "maps_steps=1", "maps_batch=1",
    "choice_steps=1", "marked_steps=1", "residual_steps=1", "residual_batch=1",
)  # fmt: skip


@pytest.fixture
def packed(tmp_path):
    file = tmp_path / "data.safetensors"
    write_pack(file, tiny_pack())
    return file


def train(*words):
    return main(["train", "diffugts", *map(str, words)])


def test_it_is_found():
    assert "diffugts" in trainable_methods()


def test_from_a_packed_file_to_a_model(packed, tmp_path, capsys):
    changes = [word for value in SMALL for word in ("--set", value)]
    words = ["--packed", packed, "-o", tmp_path / "run", "--device", "cpu", *changes]
    assert train(*words) == exit_codes.OK
    assert "The model is in" in capsys.readouterr().out
    assert (tmp_path / "run" / "model" / "weights.safetensors").stat().st_size < 1_500_000
    words[3] = tmp_path / "other"
    shared = ["--prepared", tmp_path / "run" / "prepared", "--leave-out", "bright"]
    assert train(*words, *shared, "--export", tmp_path / "left") == exit_codes.OK
    assert "left out" in (tmp_path / "left" / "CARD.md").read_text("utf-8")
    assert not (tmp_path / "other" / "prepared").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Give --packed"),
        (["--packed", "{packed}"], "Training needs --output"),
        (["-o", "{folder}/run"], "--data must be an existing folder"),
        (["-o", "{folder}/run", "--data", "{folder}/none"], "--data must be an existing folder"),
        (["--packed", "{packed}", "-o", "{folder}", "--set", "side"], "NAME=VALUE"),
        (["--packed", "{packed}", "-o", "{folder}", "--set", "side=50"], "multiple of 32"),
        (["--packed", "{packed}", "-o", "{folder}", "--preset", "tpu"], "no preset 'tpu'"),
    ],
)
def test_bad_input(packed, tmp_path, capsys, words, told):
    words = [word.format(packed=packed, folder=tmp_path) for word in words]
    assert train(*words, "--device", "cpu") == exit_codes.BAD_INPUT
    assert told in capsys.readouterr().err
