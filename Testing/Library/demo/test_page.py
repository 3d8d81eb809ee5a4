"""The demonstration on small samples with a small real method: files and one page."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image as Pillow

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli import main as command
from DiffusionSegLib.demo import samples as samples_module
from DiffusionSegLib.demo.page import render_page
from DiffusionSegLib.demo.run import run_samples
from DiffusionSegLib.demo.samples import load_samples, samples_folder
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.progress import Progress
from Testing.Library.cli.fixtures import SPOT, bright_volume, spot_mask

pytestmark = pytest.mark.usefixtures("smoothing")


def entry(name, model, images, label, **more):
    return {
        "id": name,
        "title": f"Sample <{name}>",
        "model": model,
        "images": images,
        "label": label,
        "modality": ["MR"] * len(images),
        "attribution": "A & B, <i>Journal</i>",
        "licence": {"name": "CC0-1.0", "url": "https://example.org/?a=1&b=2"},
        **more,
    }


@pytest.fixture
def folder(tmp_path, photograph):
    """Samples: a volume, a photograph, a pair of channels, and one whose model is not there."""
    place = tmp_path / "samples"
    place.mkdir()
    bright_volume().write(place / "v.nii.gz")
    bright_volume(value=150).write(place / "v_mr.nii.gz")
    bright_volume(value=190).write(place / "v_ct.nii.gz")
    spot_mask().write(place / "v_label.nii.gz")
    photograph.rename(place / "p.png")
    truth = np.zeros((1, 60, 80), np.uint8)
    truth[:, 20:40, 30:60] = 1
    Mask.from_array(truth).write(place / "p_label.png")
    entries = [
        entry("volume", "smoothing/bright", ["v.nii.gz"], "v_label.nii.gz"),
        entry("photograph", "smoothing/bright", ["p.png"], "p_label.png"),
        entry("pair", "smoothing/pair", ["v_mr.nii.gz", "v_ct.nii.gz"], "v_label.nii.gz"),
        entry("absent", "smoothing/nothing", ["v.nii.gz"], "v_label.nii.gz"),
    ]
    (place / "samples.json").write_text(json.dumps(entries))
    return place


@pytest.fixture
def results(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    return run_samples(load_samples(folder), out, Progress.silent())


class Page(HTMLParser):
    """Collects what a browser would fetch, and the words."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.sources, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "srcset", "data")]

    def handle_data(self, data):
        self.words.append(data)


def test_each_sample_is_measured_and_a_missing_model_stops_no_other(results, tmp_path):
    dices = {result.sample.id: result.dice for result in results}
    assert dices["volume"] > 0.8
    assert dices["photograph"] > 0.9
    assert dices["pair"] > 0.8
    assert results[3].error is not None
    assert "nothing" in results[3].error
    for name in ("volume", "photograph", "pair"):
        assert Mask.read(tmp_path / "out" / f"{name}.seg.nrrd").array.any()
        with Pillow.open(tmp_path / "out" / f"{name}_overlay.png") as overlay:
            assert overlay.width >= 300


def test_pictures_of_three_planes_and_of_every_channel(results):
    by_name = {result.sample.id: result.pictures for result in results}
    assert [plane.plane for plane in by_name["volume"]] == ["axial", "coronal", "sagittal"]
    assert [plane.plane for plane in by_name["photograph"]] == ["picture"]
    assert {len(plane.channels) for plane in by_name["pair"]} == {2}
    assert {len(plane.row) for plane in by_name["pair"]} == {5}
    # Coronal: 10 rows of 2 mm high, 20 columns of 1 mm wide.
    coronal = by_name["volume"][1].outlines
    assert coronal.width / coronal.height == pytest.approx(20 / 24, rel=0.02)


def test_the_probability_is_shown_where_it_is(results):
    axial = results[0].pictures[0].probability
    bright = np.asarray(axial)[..., 0] > 200
    rows, columns = (np.nonzero(bright.any(axis=axis))[0] for axis in (1, 0))
    scale = axial.height / 24
    assert rows.min() / scale == pytest.approx(SPOT[1].start, abs=1.5)
    assert columns.max() / scale == pytest.approx(SPOT[2].stop, abs=1.5)


def test_the_page_needs_nothing_but_itself(results):
    text = render_page(results, "2 CPU cores", "1.2.3")
    page = Page(text)
    assert page.sources
    assert all(source.startswith("data:image/") for source in page.sources)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert not re.search(r"url\(|@import|@font-face", text)
    assert len(page.sources) == 3 * 4 + 4 + 3 * 5


def test_the_page_says_what_must_be_said(results):
    text = render_page(results, "2 CPU cores", "1.2.3")
    words = " ".join(Page(text).words)
    for sentence in (
        "not diffusion MRI",
        "Not for clinical use",
        "Sample <volume>",
        "A & B, <i>Journal</i>",
        "CC0-1.0",
        "There is no model of smoothing 'nothing'",
        f"{results[0].dice:.3f}",
        "known outline",
        "prediction",
    ):
        assert sentence in words
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_the_command_prints_the_path_and_tells_of_failures(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(samples_module, "samples_folder", lambda: folder)
    out = tmp_path / "new" / "place"
    assert command.main(["demo", "--output", str(out)]) == exit_codes.BAD_INPUT
    told = capsys.readouterr().out
    assert str(out / "index.html") in told
    assert "absent" in told
    assert (out / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_place_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").touch()
    code = command.main(["demo", "--output", str(tmp_path / "file" / "x")])
    assert code == exit_codes.BAD_INPUT
    assert "choose another --output" in capsys.readouterr().err


def test_the_bundled_samples_are_whole():
    samples = load_samples(samples_folder())
    assert len({sample.id for sample in samples}) == len(samples) >= 8
    for sample in samples:
        assert all(path.is_file() for path in (*sample.images, sample.label))
        assert sample.licence
        assert sample.attribution


def test_a_listing_that_cannot_be_used(tmp_path):
    (tmp_path / "samples.json").write_text('[{"id": 1}]')
    with pytest.raises(InputError, match=r"samples\.json cannot be used"):
        load_samples(tmp_path)
