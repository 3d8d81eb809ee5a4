"""Every benchmark runs on the smallest real input and reports what it should."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.pack import PackedCase, read_pack, write_pack
from DiffusionSegLib.training.cdal.packing import pack_task
from DiffusionSegLib.training.cdal.settings import load_task
from Testing.Benchmarks.datasets import FOLDERS, SAMPLES, find_test_cases, read_real_case

COMMANDS = ("compare_models", "refine_errors", "presence", "memory", "adaptive", "stability")
MODEL = "hippocampus"
SMALL = ("--limit", "1", "--device", "cpu")


def start(name: str, *words: str) -> int:
    code: int = importlib.import_module(f"Testing.Benchmarks.{name}").main(list(words))
    return code


def rows(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text("utf-8"))
    assert "split" in content["conditions"] and content["conditions"]["device"] == "cpu"
    found: list[dict[str, Any]] = content["rows"]
    return found


@pytest.fixture(scope="module")
def entry() -> ModelEntry:
    return ModelStore().find("cdal", MODEL)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled test samples, packed as training packs them, as the test part."""
    path = tmp_path_factory.mktemp("packed") / "data.safetensors"
    folder = SAMPLES / FOLDERS[MODEL]
    task = load_task(MODEL)
    pack_task(task, folder / "images", folder / "labels", (), path, Progress.silent())
    cases = [case for part in read_pack(path).parts.values() for case in part]
    write_pack(path, {"train": [], "test": cases})
    return path


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_it_measures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        start(name, "--help")
    assert leaving.value.code == 0
    told = capsys.readouterr().out
    assert f"Testing.Benchmarks.{name}" in told and "--json" in told and "--device" in told


def test_unknown_model_and_folder_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("stability", "hipocampus") == 2
    assert start("adaptive", MODEL, "--data", str(tmp_path)) == 2
    assert start("compare_models", MODEL) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert "hipocampus" in told[0] and str(tmp_path) in told[1] and "--packed" in told[2]


def test_compare_models(packed: Path, tmp_path: Path, entry: ModelEntry) -> None:
    from Testing.Benchmarks.unet_baseline import build

    torch.manual_seed(0)
    torch.save(build(load_task(MODEL)).state_dict(), tmp_path / "unet.pt")
    given = ("--packed", f"{MODEL}={packed}", "--unet", f"{MODEL}={tmp_path / 'unet.pt'}")
    assert start("compare_models", MODEL, *given, *SMALL, "--json", str(tmp_path / "t.json")) == 0
    found = rows(tmp_path / "t.json")
    assert [row["label"] for row in found] == [label.name for label in entry.labels]
    for row in found:
        # An untrained U-Net knows nothing, the shipped model does.
        assert row["cDAL"]["mean"] > 0.75 > row["U-Net"]["mean"]
        assert row["cDAL"]["cases"] == 1 and row["cDAL not found"] == "0 of 1"


def test_a_training_case_in_the_test_part_is_refused(
    packed: Path, tmp_path: Path, entry: ModelEntry, capsys: pytest.CaptureFixture[str]
) -> None:
    name = entry.splits["train"][0]
    volume = torch.zeros(1, 8, 8, 8)
    write_pack(tmp_path / "x", {"train": [], "test": [PackedCase(name, volume, volume[0])]})
    assert start("compare_models", MODEL, "--packed", f"{MODEL}={tmp_path / 'x'}") == 2
    assert name in capsys.readouterr().err
    # With part of the data the split is another one.
    assert start("compare_models", MODEL, "--data", str(SAMPLES)) == 2
    assert "train part" in capsys.readouterr().err


def test_refine_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (MODEL, *SMALL, "--strokes", "0", "2", "--json", str(tmp_path / "t.json"))
    assert start("refine_errors", *words) == 0
    nothing, two = rows(tmp_path / "t.json")
    assert nothing["before"] == nothing["strokes only"] == two["before"]
    assert two["before"]["mean"] < two["strokes only"]["mean"] < two["refined"]["mean"]
    kept, painted = map(int, two["kept"].split("/"))
    assert kept == painted > 0
    assert "0 violations" in capsys.readouterr().out


def test_presence(tmp_path: Path) -> None:
    assert start("presence", MODEL, *SMALL, "--json", str(tmp_path / "t.json")) == 0
    # The samples are not the whole data sets, so nothing without the object is known held out.
    (row,) = rows(tmp_path / "t.json")
    assert row["object"] == "yes" and row["count"] == 1 and row["miss"] == 0


def test_adaptive(tmp_path: Path) -> None:
    words = (MODEL, *SMALL, "--tolerances", "0", "1", "--json", str(tmp_path / "t.json"))
    assert start("adaptive", *words) == 0
    everything, least = rows(tmp_path / "t.json")
    assert least["samples"]["mean"] < everything["samples"]["mean"]
    assert least["s/image"] < everything["s/image"]
    assert everything["Dice lost"] == "+0.0000" and everything["time"] == "100%"


def test_stability(tmp_path: Path) -> None:
    words = (MODEL, *SMALL, "--seeds", "2", "--json", str(tmp_path / "t.json"))
    assert start("stability", *words) == 0
    (row,) = rows(tmp_path / "t.json")
    assert row["twice"] == "1 of 1"
    assert 0.9 < row["agreement"]["mean"] < 1
    assert row["Dice, seed 0"] != row["Dice, seed 1"]


def test_memory(tmp_path: Path) -> None:
    case = find_test_cases(ModelStore().find("cdal", MODEL), SAMPLES, 1)[0]
    words = (MODEL, "--image", str(case.images[0]), "--channel", "MR", "--shape", "40", "64", "64")
    spacing = ("--spacing", "0.6", "0.6", "1", "--device", "cpu")
    # So small a volume is nothing beside the network, so the target is missed.
    assert start("memory", *words, *spacing, "--json", str(tmp_path / "t.json")) == 1
    found = {row["stage"]: row["of the volume"] for row in rows(tmp_path / "t.json")}
    assert list(found) == ["read", "prepare", "draw", "outline", "write", "whole"]
    assert found["whole"] == max(found.values())


def test_samples_are_in_the_test_part_of_their_model() -> None:
    entries = [entry for entry in ModelStore().list("cdal") if entry.name in FOLDERS]
    assert MODEL in [entry.name for entry in entries]
    for entry in entries:
        for case in find_test_cases(entry, SAMPLES):
            real = read_real_case(entry, case)
            assert real.mean_dice(real.truth) == 1
            assert not real.truth.is_empty
