"""`diffusionseg methods` and `diffusionseg models`."""

import json

import pytest

from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main

pytestmark = pytest.mark.usefixtures("smoothing")


def test_methods_show_prompts_and_parameters(capsys):
    assert main(["methods"]) == exit_codes.OK
    told = capsys.readouterr().out
    assert "smoothing: Bright after smoothing" in told
    assert "prompts: points; refines" in told
    assert "--set width=1.0  (0 to 5)  of the Gaussian" in told
    assert main(["methods", "--json"]) == exit_codes.OK
    names = [method["name"] for method in json.loads(capsys.readouterr().out)]
    assert {"cdal", "smoothing"} <= set(names)


def test_models(capsys):
    assert main(["models", "--method", "smoothing"]) == exit_codes.OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[1].startswith("smoothing/bright (default)")
    assert "CC0-1.0" in lines[1]
    assert main(["models", "--method", "smoothing", "--json"]) == exit_codes.OK
    first = json.loads(capsys.readouterr().out)[0]
    assert first["splits"] == {"train": 1, "test": 2}


def test_info_by_name_or_id(capsys):
    for name in ("parts", "smoothing/parts"):
        assert main(["models", "info", name]) == exit_codes.OK
        assert "title: Test model parts" in capsys.readouterr().out
    assert main(["models", "info", "prts"]) == exit_codes.BAD_INPUT
    assert "Did you mean 'parts'?" in capsys.readouterr().err
    assert main(["models", "info"]) == exit_codes.BAD_INPUT
    assert "Which model?" in capsys.readouterr().err


def test_verify_notices_a_changed_file(smoothing, capsys):
    folder = smoothing / "smoothing" / "bright"
    weights = folder / "weights.bin"
    weights.write_bytes(b"0123456789")
    card = json.loads((folder / "model.json").read_text())
    card["files"] = [{"path": "weights.bin", "size": 10, "sha256": file_sha256(weights)}]
    (folder / "model.json").write_text(json.dumps(card))
    assert main(["models", "verify", "bright"]) == exit_codes.OK
    assert capsys.readouterr().out == "smoothing/bright: whole\n"
    weights.write_bytes(b"0123456780")
    assert main(["models", "verify", "--method", "smoothing"]) == exit_codes.BAD_INPUT
    lines = capsys.readouterr().out.splitlines()
    assert "sha256" in lines[0]
    assert lines[1:] == [f"smoothing/{name}: has no files of its own" for name in ("pair", "parts")]


def test_sizes_are_those_of_a_model_s_own_files(smoothing, capsys):
    """A model that uses another's weights, or the hub's, has none."""
    folder = smoothing / "smoothing" / "bright"
    card = json.loads((folder / "model.json").read_text())
    card["files"] = [{"path": "weights.bin", "size": 2_340_000, "sha256": "0" * 64}]
    (folder / "model.json").write_text(json.dumps(card))
    assert main(["models", "--method", "smoothing"]) == exit_codes.OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines] == ["MB", "2.3", "-", "-"]


def test_models_that_no_method_runs_are_listed_too(smoothing, capsys):
    folder = smoothing / "smoothing" / "bright"
    card = json.loads((folder / "model.json").read_text())
    card["method"], card["name"] = "eyes", "sharp"
    (smoothing / "eyes" / "sharp").mkdir(parents=True)
    (smoothing / "eyes" / "sharp" / "model.json").write_text(json.dumps(card))
    assert main(["models"]) == exit_codes.OK
    assert "eyes/sharp" in capsys.readouterr().out
    assert main(["models", "--method", "eyes"]) == exit_codes.OK
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "model",
        "eyes/sharp",
    ]
    assert main(["models", "--method", "ears"]) == exit_codes.BAD_INPUT
    assert "eyes" in capsys.readouterr().err
