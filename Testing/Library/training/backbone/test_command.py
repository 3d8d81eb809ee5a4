import pytest

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.training.backbone import pictures
from DiffusionSegLib.training.backbone.pack import write_pack
from Testing.Library.training.backbone.tiny import tiny_pack

SMALL = (
    "autoencoder_steps=1", "autoencoder_batch=1", "autoencoder_side=32", "batch=1", "side=32",
    "large_side=32", "large_batch=1",
)  # fmt: skip


@pytest.fixture
def packed(tmp_path):
    file = tmp_path / "data.safetensors"
    write_pack(file, tiny_pack())
    return file


def train(*words):
    return main(["train", "backbone", *map(str, words)])


def test_from_a_packed_file_to_a_model(packed, tmp_path, capsys, monkeypatch):
    """The card's pictures are small here; those of test_export.py have their real sizes."""
    monkeypatch.setattr(pictures, "_DRAWN_SIDE", 32)
    monkeypatch.setattr(pictures, "_READ_SIDE", 64)
    changes = [word for value in SMALL for word in ("--set", value)]
    words = ["--packed", packed, "-o", tmp_path / "run", "--device", "cpu", "--steps", "1"]
    assert train(*words, *changes) == exit_codes.OK
    assert "after 1 steps; the model is in" in capsys.readouterr().out
    assert (tmp_path / "run" / "model" / "weights.safetensors").stat().st_size <= 20_000_000
    elsewhere = tmp_path / "elsewhere"
    assert train(*words, *changes, "--export-only", "--export", elsewhere) == exit_codes.OK
    assert (elsewhere / "CARD.md").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Give --packed"),
        (["--packed", "{packed}"], "Training needs --output"),
        (["-o", "{folder}/run"], "--data must be an existing folder"),
        (["-o", "{folder}/run", "--data", "{folder}/none"], "--data must be an existing folder"),
        (["--packed", "{packed}", "-o", "{folder}", "--set", "batch"], "NAME=VALUE"),
        (["--packed", "{packed}", "-o", "{folder}", "--preset", "tpu"], "no preset 'tpu'"),
        (["--packed", "{packed}", "-o", "{folder}", "--export-only"], "train further"),
    ],
)
def test_bad_input(packed, tmp_path, capsys, words, told):
    words = [word.format(packed=packed, folder=tmp_path) for word in words]
    assert train(*words, "--device", "cpu") == exit_codes.BAD_INPUT
    assert told in capsys.readouterr().err
