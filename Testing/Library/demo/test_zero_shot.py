"""What ADZUS is told of a sample in the demonstration, and that the page says so."""

from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.demo.page import render_page
from DiffusionSegLib.demo.run import run_samples
from DiffusionSegLib.demo.samples import Sample, load_samples, samples_folder
from DiffusionSegLib.demo.zero_shot import ASKED, asked_of, zero_shot_samples
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.progress import Progress
from Testing.Library.geometries import KIND_NAMES, KINDS, grid
from Testing.Library.methods.adzus.tiny_model import ellipsoid, picture, write_models


def sample(folder, told=""):
    return Sample(
        "lesion", "A lesion", "cdal", "skin-lesion", (folder / "a.png", folder / "b.png"),
        folder / "l.png", ("CT", "RGB"), "Somebody", "CC0-1.0", "", "", "", "click", told,
    )  # fmt: skip


def case(kind):
    """A volume with an ellipsoid whose largest slice is known."""
    geometry = grid((7, 20, 24), **kind)
    middle = tuple(geometry.kji_to_ras([[4, 9, 11]])[0])
    radius = 3.1 * min(geometry.spacing_mm[:2])
    inside = ellipsoid(geometry, middle, (radius, radius, radius))
    image = Image(inside[None].astype(np.float32), geometry)
    return image, Mask(inside.astype(np.uint8), geometry)


def test_the_bundled_samples_show_all_that_can_be_said():
    samples = load_samples(samples_folder())
    shown = zero_shot_samples(samples)
    assert {one.told for one in shown} == set(ASKED)
    assert len({one.id for one in (*samples, *shown)}) == len(samples) + len(shown)
    for one in shown:
        assert (one.method, one.model, len(one.images)) == ("adzus", "compact", 1)
        assert one.title.endswith(ASKED[one.told])


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_a_click_lies_in_the_middle_and_a_box_around(tmp_path, kind):
    image, truth = case(kind)
    whole, _, prompt = asked_of(sample(tmp_path, "click"), image, truth)
    place = whole.geometry.ras_to_kji([prompt.points[0].position_ras])[0]
    assert np.abs(place - (4, 9, 11)).max() <= 1
    part, known, prompt = asked_of(sample(tmp_path, "box"), image, truth)
    assert part.dimension == known.dimension == 2
    assert part.array.shape == (1, 1, 20, 24)
    assert known.array.sum() == truth.array.sum(axis=(1, 2)).max()
    (box,) = prompt.boxes
    places = np.argwhere(np.ones(known.array.shape))
    boxed = box.contains(known.geometry.kji_to_ras(places), 1e-6).reshape(known.array.shape)
    assert boxed[known.array > 0].all()
    rows, columns = (np.flatnonzero(known.array[0].any(axis=axis)) for axis in (1, 0))
    assert boxed.sum() == (np.ptp(rows) + 5) * (np.ptp(columns) + 5), "two pixels of room"
    assert asked_of(sample(tmp_path, "nothing"), image, truth)[2].is_empty


def test_without_a_known_outline_nothing_can_be_clicked(tmp_path):
    image, truth = case(KINDS[0])
    empty = Mask(np.zeros_like(truth.array), truth.geometry)
    with pytest.raises(InputError, match="empty"):
        asked_of(sample(tmp_path, "click"), image, empty)


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(write_models(tmp_path / "models")))
    image, inside = picture(rgb=True)
    image.write(tmp_path / "b.png")
    Mask(inside.astype(np.uint8), image.geometry, dimension=2).write(tmp_path / "l.png")
    told = [replace(sample(tmp_path), zero_shot=kind) for kind in ("click", "nothing")]
    shown = [replace(one, model="tiny") for one in zero_shot_samples(told)]
    out = tmp_path / "out"
    out.mkdir()
    return run_samples(shown, out, Progress.silent())


def test_the_page_says_what_was_told_and_by_which_rule(results):
    assert [result.error for result in results] == [None, None]
    assert results[0].dice > 0.9
    text = render_page(results, "2 CPU cores", "1.2.3")
    for words in ("A lesion, one click", "A lesion, nothing said", "without outlines"):
        assert words in text
    for result in results:
        assert result.proposal.provenance.rule in text
    assert text.count("Somebody") == 1
