"""End to end: real images, bundled weights, the real command line."""

import contextlib
import io
import json

import numpy as np
import pytest

from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.demo.samples import load_samples, samples_folder
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

INSTALLED = {entry.id for entry in ModelStore().list()}
# One sample of each model.
SAMPLES = {f"{sample.method}/{sample.model}": sample for sample in load_samples(samples_folder())}
# Below this an outline is of no use; the measured means are in the models' cards.
USEFUL = 0.6


@pytest.fixture(scope="module", params=sorted(SAMPLES))
def sample(request):
    if request.param not in INSTALLED:
        pytest.skip(f"{request.param} is not bundled")
    return SAMPLES[request.param]


def segment(sample, folder):
    """What the command tells, and what it writes: an outline and probabilities."""
    out, probability = folder / "out.seg.nrrd", folder / "p.nrrd"
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = main(
            ["segment", *map(str, sample.images), "--method", sample.method, "--model",
             sample.model, "-o", str(out), "--probability", str(probability), "--device", "cpu",
             "--json", "--samples", "2", "--seed", "5"]
        )  # fmt: skip
    assert code == exit_codes.OK
    return json.loads(told.getvalue()), out, probability


@pytest.fixture(scope="module")
def segmented(sample, tmp_path_factory):
    return segment(sample, tmp_path_factory.mktemp("segmented"))


def test_segment_a_real_image(sample, segmented):
    told, out, probability = segmented
    assert told["verdict"]["state"] in ("FOUND", "UNCERTAIN")
    mask, truth = Mask.read(out), Mask.read(sample.label)
    image = Image.read(sample.images[0])
    assert mask.geometry.is_close(image.geometry)
    assert Image.read(probability).array.shape[1:] == mask.array.shape
    assert mask.provenance is not None
    assert mask.provenance.weights_sha256
    inside, true = mask.array > 0, truth.array > 0
    assert 2 * np.sum(inside & true) / (inside.sum() + true.sum()) > USEFUL


def test_evaluate_a_real_image_with_clicks(sample, tmp_path, capsys):
    images, labels = sample.images[0].parent, sample.label.parent
    name = sample.label.name.split(".")[0]
    (tmp_path / "cases.txt").write_text(name + "\n")
    report = tmp_path / "report.json"
    code = main(
        ["evaluate", "--method", sample.method, "--model", sample.model, "--device", "cpu",
         "--images", str(images), "--labels", str(labels), "--cases", str(tmp_path / "cases.txt"),
         "--clicks", "2", "--samples", "2", "--json", str(report),
         "--sheet", str(tmp_path / "sheet.png")]
    )  # fmt: skip
    assert code == exit_codes.OK, capsys.readouterr().out
    summary = json.loads(report.read_text("utf-8"))["summary"]
    assert summary["dice"] > USEFUL
    assert 0.0 <= summary["ece"] < 0.2
    assert len(summary["dice_after_clicks"]) == 3
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_the_same_seed_gives_the_same_file(sample, segmented, tmp_path):
    again = segment(sample, tmp_path)
    assert np.array_equal(Mask.read(again[1]).array, Mask.read(segmented[1]).array)
