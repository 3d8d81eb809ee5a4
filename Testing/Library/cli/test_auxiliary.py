"""`segment --auxiliary`: the images that explain a result, in a folder of the user's choice."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.auxiliary import auxiliary_paths
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.io import writing
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from Testing.Library.cli.fixtures import GEOMETRY

pytestmark = pytest.mark.usefixtures("smoothing")

NAMES = ["anomaly map", "pseudo-healthy", "difference"]


def segment(*words):
    return main(["segment", *(str(word) for word in words), "--method", "smoothing"])


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "explained"
    made.mkdir()
    return made


def test_every_image_is_written_and_told(volume, folder, tmp_path, capsys):
    out = tmp_path / "head.seg.nrrd"
    assert segment(volume, "-o", out, "--auxiliary", folder, "--set", "parts=3") == exit_codes.OK
    path = folder / "head-regions.nrrd"
    assert list(folder.iterdir()) == [path]
    written = Image.read(path)
    assert written.geometry.is_close(GEOMETRY)
    assert written.array.dtype == np.int32
    assert set(np.unique(written.array)) == {0, 1, 2, 3, 4}
    # Each level holds the outline of a candidate: the second is that at 2 of 4.
    assert np.array_equal(written.array[0] >= 2, Mask.read(out).array > 0)
    assert capsys.readouterr().out.splitlines()[1:] == [f"regions: {path}"]


def test_in_json(volume, folder, tmp_path, capsys):
    words = (volume, "-o", tmp_path / "out.nii.gz", "--json", "--auxiliary", folder, "--set")
    assert segment(*words, "parts=1") == exit_codes.OK
    told = json.loads(capsys.readouterr().out)["written"]["auxiliary"]
    assert told == {"regions": str(folder / "out-regions.nrrd")}
    assert segment(*words, "parts=0") == exit_codes.OK
    assert json.loads(capsys.readouterr().out)["written"]["auxiliary"] == {}


def test_a_method_without_any_says_so(volume, folder, tmp_path, capsys):
    assert segment(volume, "-o", tmp_path / "out.nrrd", "--auxiliary", folder) == exit_codes.OK
    assert capsys.readouterr().out.splitlines()[1:] == [
        "The method gives no auxiliary image for this prompt."
    ]
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("place", "why"), [("nowhere", "create it first"), ("volume.nii.gz", "is a file")]
)
def test_the_folder_is_checked_before_anything_is_computed(volume, tmp_path, capsys, place, why):
    out = tmp_path / "out.nrrd"
    # The fault would end the run with another exit code, had it been reached.
    words = ("-o", out, "--auxiliary", tmp_path / place, "--set", "fault=crash")
    assert segment(volume, *words) == exit_codes.BAD_INPUT
    said = capsys.readouterr().err
    assert why in said
    assert len(said.splitlines()) == 1
    assert not out.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_a_folder_that_cannot_be_written_to(volume, tmp_path, capsys):
    words = ("-o", tmp_path / "out.nrrd", "--auxiliary", "/proc", "--set", "fault=crash")
    assert segment(volume, *words) == exit_codes.BAD_INPUT
    assert "choose another folder" in capsys.readouterr().err


def test_no_file_is_replaced_unasked(volume, folder, tmp_path, capsys):
    out, mine = tmp_path / "out.nrrd", folder / "out-regions.nrrd"
    mine.write_text("mine")
    words = ("-o", out, "--auxiliary", folder, "--set", "parts=1")
    assert segment(volume, *words, "--no-overwrite") == exit_codes.BAD_INPUT
    assert f"{mine} exists already" in capsys.readouterr().err
    assert segment(volume, *words, "--probability", mine) == exit_codes.BAD_INPUT
    assert "Two outputs" in capsys.readouterr().err
    assert mine.read_text() == "mine"
    assert not out.exists()
    assert segment(volume, *words) == exit_codes.OK
    assert Image.read(mine).array.max() == 2


def test_an_image_that_is_also_the_input(folder, tmp_path, volume, capsys):
    entrance = folder / "out-regions.nrrd"
    Image.read(volume).write(entrance)
    before = entrance.read_bytes()
    words = ("-o", tmp_path / "out.nrrd", "--auxiliary", folder, "--set", "parts=1")
    assert segment(entrance, *words) == exit_codes.BAD_INPUT
    assert "also an input" in capsys.readouterr().err
    assert entrance.read_bytes() == before


def test_interrupted_while_computing(volume, folder, tmp_path):
    out = tmp_path / "out.nrrd"
    words = ("-o", out, "--auxiliary", folder, "--set", "parts=1", "--set", "fault=interrupt")
    assert segment(volume, *words) == exit_codes.INTERRUPTED
    assert not list(folder.iterdir())
    assert not out.exists()


def test_interrupted_while_writing(volume, folder, tmp_path, monkeypatch):
    """The old file stays, no half of a new one is left, and the outline does not claim success."""
    out, old = tmp_path / "out.nrrd", folder / "out-regions.nrrd"
    old.write_text("old")

    def interrupted(stream, *_rest):
        stream.write(b"NRRD0004")
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "write_nrrd", interrupted)
    words = ("-o", out, "--auxiliary", folder, "--set", "parts=1")
    assert segment(volume, *words) == exit_codes.INTERRUPTED
    assert [path.name for path in folder.iterdir()] == [old.name]
    assert old.read_text() == "old"
    assert not out.exists()


def test_nothing_found_writes_no_image(folder, tmp_path):
    dark = tmp_path / "dark.nii.gz"
    Image(np.arange(240, dtype=np.int16).reshape(1, 4, 6, 10) % 40,
          GEOMETRY.with_shape((4, 6, 10))).write(dark)  # fmt: skip
    words = ("-o", tmp_path / "out.nrrd", "--auxiliary", folder, "--set", "parts=1")
    assert segment(dark, *words) == exit_codes.NOT_FOUND
    assert not list(folder.iterdir())


def test_names_of_the_files():
    paths = auxiliary_paths(Path("to"), Path("a.b/head.seg.nrrd"), NAMES)
    assert [str(path) for path in paths.values()] == [
        "to/head-anomaly-map.nrrd", "to/head-pseudo-healthy.nrrd", "to/head-difference.nrrd"
    ]  # fmt: skip


@given(st.lists(st.text(max_size=20), unique=True, max_size=8))
def test_any_name_becomes_a_file_of_its_own(names):
    paths = auxiliary_paths(Path("to"), Path("head.NII.gz"), names)
    assert list(paths) == names
    assert len({path.name.casefold() for path in paths.values()}) == len(names)
    for path in paths.values():
        assert path.parent == Path("to")
        assert path.name.startswith("head-")
        assert path.suffix == ".nrrd"
        assert not set(path.stem) & set('/\\:*?"<>| \0.')
