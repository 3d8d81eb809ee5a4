"""`diffusionseg segment --method adzus`: a click on the command line, and one sentence for what
cannot be used."""

import json

import numpy as np
import pytest

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.cli.test_bad_input import refused
from Testing.Library.methods.adzus.tiny_model import (
    click,
    dice,
    picture,
    tiny_session,
    write_models,
)

IMAGE, INSIDE = picture(48, 64, rgb=True)
MIDDLE = "32,24"  # column and row


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def photograph(models, tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(models))
    path = tmp_path / "photograph.png"
    IMAGE.write(path)
    return path


def words(photograph, out, *more):
    start = ["segment", str(photograph), "--method", "adzus", "--model", "tiny", "--device", "cpu"]
    return [*start, "--frame", "pixel", "-o", str(out), *map(str, more)]


def test_a_click_gives_the_same_file_every_time_and_what_a_session_gives(
    photograph, tmp_path, capsys
):
    outs = [tmp_path / f"out{number}.seg.nrrd" for number in range(2)]
    for out in outs:
        assert main(words(photograph, out, "--point", MIDDLE)) == exit_codes.OK
    masks = [Mask.read(out) for out in outs]
    assert np.array_equal(masks[0].array, masks[1].array)
    assert dice(masks[0].array, INSIDE) > 0.95
    session = tiny_session()
    image = Image.read(photograph)
    session.set_image(image)
    found = session.propose(Prompt(points=[click(image, 0, 24, 32)]))
    assert np.array_equal(found.mask().array, masks[0].array)
    assert masks[0].provenance.rule == found.provenance.rule != ""
    assert masks[0].provenance.weights_sha256 == found.provenance.weights_sha256 != ""
    assert f'rule "{found.provenance.rule}"' in capsys.readouterr().out


def test_boxes_words_beside_clicks_parameters_and_candidates(photograph, tmp_path, capsys):
    out = tmp_path / "out.png"
    more = ["--box", "12,8,52,40", "--point", MIDDLE, "--text", "disc", "--json", "--candidates"]
    more += ["--set", "granularity=0.8", "--set", "evidence=image"]
    assert main(words(photograph, out, *more)) == exit_codes.OK
    told = json.loads(capsys.readouterr().out)
    assert told["provenance"]["parameters"]["granularity"] == 0.8
    assert told["labels"][0]["name"] == "disc"
    assert dice(Mask.read(out).array, INSIDE) > 0.9
    assert len(told["written"]["candidates"]) == len(told["candidates"])


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--point", "900,0"], "outside the image"),
        (["--box", "900,0,950,50"], "outside the image"),
        (["--point", "3,3:-"], "The only mark excludes"),
        (["--point", MIDDLE, "--point", f"{MIDDLE}:-"], "both include and exclude"),
        (["--point", MIDDLE, "--region", "0,0,8,8"], "outside the region"),
        (["--point", MIDDLE, "--box", "0,0,8,8"], "outside every box"),
        (["--set", "granularity=2"], "from 0 to 1"),
        (["--set", "grain=1"], "parameter of adzus 'grain'"),
        (["--set", "timestep=5000"], "timestep"),
        (["--uncertainty", "u.nrrd", "--point", MIDDLE], "gives no uncertainty"),
    ],
)
def test_wishes_that_cannot_be_met(photograph, tmp_path, capsys, monkeypatch, more, word):
    monkeypatch.chdir(tmp_path)
    sentence = refused(capsys, tmp_path / "o" / "out.nrrd", words(photograph, "out.nrrd", *more))
    assert word in sentence
    assert not (tmp_path / "out.nrrd").exists()


@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_photograph(photograph, tmp_path, capsys, value):
    empty = Image(np.full((3, 1, 9, 9), value, np.uint8), Geometry((1, 9, 9)), IMAGE.channel_names)
    empty.write(photograph)
    out = tmp_path / "out.png"
    assert f"the value {value}" in refused(capsys, out, words(photograph, out, "--point", "4,4"))
