import json
import shutil

import pytest

from DiffusionSegLib.backbones.places import bundled_folders
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.doctor.models import section
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.progress import Progress


@pytest.fixture
def mine(own_models):
    """A copy of a bundled model under a name of its own."""
    folder = own_models / "cdal" / "mine"
    shutil.copytree(bundled_folders()[0] / "cdal" / "hippocampus", folder)
    card = json.loads((folder / "model.json").read_text("utf-8"))
    card["name"] = "mine"
    (folder / "model.json").write_text(json.dumps(card), "utf-8")
    return folder


def found(examined):
    return section(examined, Progress.silent())


def line_of(one, name):
    return next(line for line in one.lines if line.startswith(name))


def test_every_model_is_told_and_the_bundled_ones_are_whole(own_models, examined):
    told = found(examined)
    assert told.problems == ()
    assert set(told.facts["models"]) == {entry.id for entry in ModelStore().list()}
    bundled = told.facts["models"]["cdal/hippocampus"]
    sha256 = ModelStore().find("cdal", "hippocampus").file("weights.safetensors").sha256
    assert bundled["files"]["weights.safetensors"] == {
        "sha256": sha256[:12],
        "state": "as its card says",
    }
    assert line_of(told, "cdal/hippocampus") == (
        f"cdal/hippocampus: ready, 4.9 MB; weights.safetensors {sha256[:12]} as its card says"
    )
    assert line_of(told, "adzus/compact") == "adzus/compact: ready; uses backbone/compact"


def test_a_model_to_be_downloaded_is_no_problem(own_models, examined):
    line = line_of(found(examined), "adzus/stable-diffusion-2-1-base")
    assert line == "adzus/stable-diffusion-2-1-base: needs download (5.2 GB)"


def test_one_changed_byte_is_found(mine, examined):
    weights = mine / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[5000] ^= 1
    weights.write_bytes(content)
    told = found(examined)
    (problem,) = told.problems
    assert problem.sentence.startswith(
        "The file weights.safetensors of the model cdal/mine differs"
    )
    assert problem.sentence.endswith("; install the model again.")
    assert "differs from its card (sha256 " in line_of(told, "cdal/mine (yours)")


def test_a_missing_file_is_found(mine, examined):
    (mine / "weights.safetensors").unlink()
    told = found(examined)
    assert [one.sentence for one in told.problems] == [
        "The file weights.safetensors of the model cdal/mine is missing; install the model again."
    ]
    assert line_of(told, "cdal/mine").startswith("cdal/mine (yours): incomplete")


def test_a_card_that_cannot_be_read_is_found(own_models, examined):
    folder = own_models / "cdal" / "bad"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{")
    (problem,) = found(examined).problems
    assert problem.sentence.startswith(f"The model card {folder / 'model.json'} cannot be read")
    assert problem.sentence.endswith("Mend this card, or remove its folder.")


def test_a_model_that_is_hidden_by_another_is_told_and_no_problem(own_models, examined):
    shutil.copytree(bundled_folders()[0] / "cdal" / "nuclei", own_models / "cdal" / "nuclei")
    told = found(examined)
    assert any(line.startswith("There are two models cdal/nuclei") for line in told.lines)
    assert told.problems == ()


def test_reading_large_files_can_be_stopped(own_models, examined):
    with pytest.raises(Cancelled):
        section(examined, Progress(cancelled=lambda: True))
