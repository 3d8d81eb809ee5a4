"""DiffuGTS on the command line, with small networks: words in, an outline and its twin out."""

import json

import numpy as np
import pytest

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from Testing.Library.methods.diffugts.toys import dice, head, toy_card, toy_networks, write_card

ROWS, COLUMNS = 90, 120
NAMES = ("anomaly map", "pseudo-healthy", "difference")


@pytest.fixture
def picture(tmp_path, monkeypatch):
    """A picture with a lesion, as a file, and where the lesion is."""
    models = tmp_path / "models"
    write_card(models, toy_card("trained"), toy_networks())
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(models))
    image, lesion = head(ROWS, COLUMNS)
    path = tmp_path / "head.png"
    image.write(path)
    return path, image, lesion


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "explained"
    made.mkdir()
    return made


def segment(*words):
    given = ("--method", "diffugts", "--model", "trained", "--device", "cpu", "--json")
    return main(["segment", *(str(word) for word in (*words, *given))])


def test_words_give_an_outline_and_three_images_that_explain_it(picture, folder, tmp_path, capsys):
    path, image, lesion = picture
    out = tmp_path / "tumor.seg.nrrd"
    words = ("--text", "brain tumor", "-o", out, "--auxiliary", folder)
    assert segment(path, *words) == exit_codes.OK
    told = json.loads(capsys.readouterr().out)
    paths = told["written"]["auxiliary"]
    assert tuple(paths) == NAMES
    assert sorted(one.name for one in folder.iterdir()) == [
        "tumor-anomaly-map.nrrd", "tumor-difference.nrrd", "tumor-pseudo-healthy.nrrd"
    ]  # fmt: skip
    assert dice(Mask.read(out).array, lesion) > 0.6
    likely, healthy, differs = (Image.read(paths[name]) for name in NAMES)
    assert likely.array.min() >= 0 and likely.array.max() <= 1
    assert healthy.array.dtype == differs.array.dtype == np.float32
    # Of the same grid, which covers the picture, and in its units.
    assert likely.geometry.is_close(healthy.geometry)
    seen = image.resampled(healthy.geometry).array.astype(float)
    away = differs.array == 0
    assert away.any() and (~away).any()
    apart = np.abs(healthy.array + differs.array - seen)
    assert np.median(apart) < 3  # the grid is an average of the picture's pixels
    assert np.abs(healthy.array - seen)[away].mean() < 5


def test_words_that_find_nothing_leave_no_image(picture, folder, tmp_path, capsys):
    path, _, _ = picture
    strict = toy_card("trained", presence={"absent": 0.98, "found": 0.99})
    write_card(tmp_path / "models", strict, toy_networks())
    out = tmp_path / "tumor.nrrd"
    code = segment(path, "--text", "brain tumor", "-o", out, "--auxiliary", folder)
    assert code == exit_codes.NOT_FOUND
    assert json.loads(capsys.readouterr().out)["verdict"]["state"] == "NOT_FOUND"
    assert not out.exists()
    assert not list(folder.iterdir())


def test_a_run_that_stops_before_inpainting_has_no_twin(picture, folder, tmp_path, capsys):
    path, _, _ = picture
    words = ("--text", "brain tumor", "--set", "evidence=coarse", "-o", tmp_path / "t.png")
    assert segment(path, *words, "--auxiliary", folder) == exit_codes.OK
    written = json.loads(capsys.readouterr().out)["written"]["auxiliary"]
    assert tuple(written) == ("anomaly map",)
