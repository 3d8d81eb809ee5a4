"""Every bundled sample is attributed, intact, and from the test part of its data set."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as Picture

from Testing.Project.source import ROOT

FOLDER = ROOT / "Resources" / "Samples"
SAMPLES = json.loads((FOLDER / "samples.json").read_text("utf-8"))
TEXTS = ("id", "title", "model", "attribution", "source", "changes")
OPEN_LICENCES = {"CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-4.0"}
LARGEST_TOTAL_BYTES = 4_000_000

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["id"])


def files(sample: dict) -> list[str]:
    return [*sample["images"], sample["label"]]


def read(path: Path) -> np.ndarray:
    if path.name.endswith(".nii.gz"):
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return np.asarray(Picture.open(path))


@each_sample
def test_it_is_attributed(sample: dict) -> None:
    assert all(sample[key].strip() for key in TEXTS)
    assert sample["licence"]["name"] in OPEN_LICENCES
    assert sample["licence"]["url"].startswith("https://creativecommons.org/")
    assert len(sample["modality"]) == len(sample["images"])


@each_sample
def test_its_set_is_described_in_the_readme(sample: dict) -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    section = text.partition(f"## {sample['images'][0].split('/')[0]}")[2].partition("\n## ")[0]
    assert sample["licence"]["url"] in section
    assert sample["source"] in section
    assert "Changes:" in section
    assert ("share-alike" in section) == ("-SA-" in sample["licence"]["name"])


@each_sample
def test_its_files_are_intact(sample: dict) -> None:
    digests = {
        name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in files(sample)
    }
    assert digests == sample["sha256"]


@each_sample
def test_its_outline_fits_its_images(sample: dict) -> None:
    label = read(FOLDER / sample["label"])
    assert all(read(FOLDER / name).shape[: label.ndim] == label.shape for name in sample["images"])
    assert {str(value) for value in np.unique(label) if value} == set(sample["labels"])


def test_nothing_lies_about_unlisted() -> None:
    listed = {name for sample in SAMPLES for name in files(sample)} | {"README.md", "samples.json"}
    present = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert present == listed
    assert len({sample["id"] for sample in SAMPLES}) == len(SAMPLES)


def test_together_they_are_small() -> None:
    assert sum((FOLDER / name).stat().st_size for s in SAMPLES for name in files(s)) < (
        LARGEST_TOTAL_BYTES
    )


def model_card(sample: dict) -> Path:
    return ROOT / "Resources" / "Models" / sample["model"] / "model.json"


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if model_card(s).exists()], ids=lambda sample: sample["id"]
)
def test_its_model_was_not_trained_on_it(sample: dict) -> None:
    splits = json.loads(model_card(sample).read_text("utf-8"))["splits"]
    assert sample["id"] in splits["test"]
    assert sample["id"] not in [*splits["train"], *splits["validation"]]
