"""Whatever is wrong with the input: one sentence, exit code 2, nothing written."""

import gzip
import json
import os
import pickle
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from Testing.Library.cli.fixtures import GEOMETRY, bright_volume

pytestmark = pytest.mark.usefixtures("smoothing")


def refused(capsys, out, words):
    """Runs the command; returns its sentence after checking that nothing else happened."""
    before = out.read_bytes() if out.exists() else None
    neighbours = set(out.parent.iterdir()) if out.parent.is_dir() else set()
    assert main([str(word) for word in words]) == exit_codes.BAD_INPUT
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    # The plan of the run comes first, and on a busy machine a line of progress.
    before_it = r"\s*\d+ %  |About .* on the processor \("
    lines = [line for line in told.err.splitlines() if not re.match(before_it, line)]
    assert len(lines) == 1, told.err
    assert lines[0].startswith("diffusionseg: ")
    assert lines[0].endswith((".", "?"))
    assert (out.read_bytes() if out.exists() else None) == before
    assert (set(out.parent.iterdir()) if out.parent.is_dir() else set()) == neighbours
    return lines[0]


def volume_array():
    return bright_volume().array[0].astype(np.float32)


def save(path, array, is_vector=False, spacing=None):
    image = sitk.GetImageFromArray(array, isVector=is_vector)
    if spacing:
        image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))
    return path


def missing(folder):
    return folder / "missing.nii.gz"


def text_named_nifti(folder):
    path = folder / "notes.nii"
    path.write_text("These are notes, not an image.\n" * 40)
    return path


def empty_file(folder):
    path = folder / "empty.nii.gz"
    path.touch()
    return path


def truncated(folder):
    path = save(folder / "whole.nii.gz", volume_array())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def truncated_picture(folder):
    whole = folder / "cut.png"
    array = np.random.default_rng(0).integers(0, 255, (90, 90), dtype=np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(whole))
    whole.write_bytes(whole.read_bytes()[:3000])
    return whole


def holding(value):
    def make(folder):
        array = volume_array()
        array[3, 3, 3] = value
        return save(folder / "holes.nii.gz", array)

    return make


def constant(folder):
    return save(folder / "constant.nii.gz", np.full((8, 9, 10), 7, np.int16))


def series_4d(folder):
    return save(folder / "series.nii.gz", np.stack([volume_array()] * 3))


def one_voxel_axis(folder):
    return save(folder / "thin.nii.gz", volume_array()[:, :, :1])


def complex_numbers(folder):
    return save(folder / "complex.nii.gz", volume_array().astype(np.complex64))


def complex_nrrd(folder):
    return save(folder / "complex.nrrd", volume_array().astype(np.complex64))


def nifti(folder, pixdim, rows):
    """A NIfTI whose header says these voxel sizes and this matrix."""
    path = save(folder / "strange.nii", volume_array())
    data = bytearray(path.read_bytes())
    struct.pack_into("<3f", data, 80, *pixdim)
    struct.pack_into("<2h", data, 252, 0, 1)  # no quaternion, but a matrix
    struct.pack_into("<12f", data, 280, *(value for row in rows for value in row))
    path.write_bytes(bytes(data))
    return path


def zero_spacing_nifti(folder):
    return nifti(folder, (1, 0, 1), [(1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0)])


def singular_nifti(folder):
    return nifti(folder, (1, 1, 1), [(1, 1, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0)])


def nrrd(folder, directions):
    path = folder / "strange.nrrd"
    header = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 6 7 8\n"
        f"space directions: {directions}\nkinds: domain domain domain\nendian: little\n"
        "encoding: raw\nspace origin: (0,0,0)\n\n"
    )
    voxels = np.arange(6 * 7 * 8, dtype="<i2").tobytes()
    path.write_bytes(header.encode() + voxels)
    return path


def zero_spacing(folder):
    return nrrd(folder, "(1,0,0) (0,1,0) (0,0,0)")


def singular_direction(folder):
    return nrrd(folder, "(1,0,0) (1,0,0) (0,0,1)")


def empty_folder(folder):
    path = folder / "dicom"
    path.mkdir()
    return path


def bad_gzip(folder):
    path = folder / "bad.nii.gz"
    path.write_bytes(gzip.compress(b"x" * 400)[:-9])
    return path


IMAGES = [
    (missing, "missing.nii.gz"),
    (text_named_nifti, "notes.nii"),
    (empty_file, "empty"),
    (truncated, "whole.nii.gz"),
    (truncated_picture, "cut.png"),
    (bad_gzip, "bad.nii.gz"),
    (holding(np.nan), "not a number"),
    (holding(np.inf), "infinite"),
    (constant, "7"),
    (series_4d, "3 "),
    (one_voxel_axis, "one voxel"),
    (complex_numbers, "complex"),
    (complex_nrrd, "complex"),
    (zero_spacing, "strange.nrrd"),
    (zero_spacing_nifti, "spacing"),
    (singular_direction, ""),
    (singular_nifti, "singular"),
    (empty_folder, "dicom"),
]


@pytest.mark.parametrize(("make", "word"), IMAGES, ids=lambda part: getattr(part, "__name__", None))
@pytest.mark.parametrize("old", [True, False], ids=["old file", "no file"])
def test_unusable_images(make, word, old, tmp_path, capsys):
    out = tmp_path / "out.seg.nrrd"
    if old:
        out.write_bytes(b"old")
    image = make(tmp_path)
    sentence = refused(capsys, out, ["segment", image, "--method", "smoothing", "-o", out])
    assert word.lower() in sentence.lower()


def test_channels_that_do_not_overlap(tmp_path, volume, capsys):
    far = tmp_path / "far.nii.gz"
    moved = Geometry(GEOMETRY.shape_kji, GEOMETRY.spacing_mm, (900.0, 0.0, 0.0))
    bright_volume(geometry=moved).write(far)
    out = tmp_path / "out.seg.nrrd"
    sentence = refused(
        capsys, out, ["segment", volume, far, "--method", "smoothing", "--model", "pair", "-o", out]
    )
    assert "overlap" in sentence


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--point", "900,0,0"], "outside the image"),
        (["--box", "900,0,0,910,5,5"], "outside the image"),
        (["--region", "900,0,0,910,5,5"], "outside the image"),
        (["--point", "5,5", "--frame", "pixel"], "give three"),
        (["--text", "kidney"], "does not take text"),
        (["--channels", "ct,mr"], "names 2 channels, but 1 images"),
        (["--model", "brihgt"], "Did you mean 'bright'?"),
        (["--samples", "0"], "at least 1"),
        (["--seed", "-1"], "at least 0"),
        (["--threshold", "2"], "up to 1"),
        (["--probability", "p.stl"], "not known"),
        (["--probability", "p.png"], "is a volume"),
        (["--probability", "p.nii.gz", "--model", "parts"], "2 labels"),
        (["--uncertainty", "nowhere/u.nii.gz"], "create it first"),
        (["--set", "fault=memory"], "memory"),
    ],
)
def test_unusable_wishes(more, word, volume, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out.seg.nrrd"
    sentence = refused(capsys, out, ["segment", volume, "--method", "smoothing", "-o", out, *more])
    assert word in sentence


def test_the_same_image_twice_is_no_second_channel(tmp_path, volume, capsys):
    out = tmp_path / "out.seg.nrrd"
    words = ["segment", volume, tmp_path / "." / volume.name, "--method", "smoothing"]
    sentence = refused(capsys, out, [*words, "--model", "pair", "-o", out])
    assert sentence.endswith("volume.nii.gz is given twice; give each channel once.")


def test_an_empty_name_is_not_this_folder(tmp_path, capsys):
    """What a variable of the shell that is not set leaves behind."""
    out = tmp_path / "out.seg.nrrd"
    sentence = refused(capsys, out, ["segment", "", "--method", "smoothing", "-o", out])
    assert "an image has an empty name; give a file or a folder" in sentence


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("out.stl", "not known"),
        ("out", "not known"),
        ("nowhere/out.nrrd", "create it first"),
        ("out.png", "is a volume"),
        ("volume.nii.gz", "also an input"),
    ],
)
def test_unusable_outputs(name, word, volume, tmp_path, capsys):
    out = tmp_path / name
    sentence = refused(capsys, out, ["segment", volume, "--method", "smoothing", "-o", out])
    assert word in sentence


def test_a_name_that_is_too_long(volume, tmp_path, capsys):
    words = ["segment", volume, "--method", "smoothing", "-o", tmp_path / ("o" * 300 + ".nrrd")]
    assert main([str(word) for word in words]) == exit_codes.BAD_INPUT
    assert "cannot be written (File name too long); choose" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="links need a permission elsewhere")
def test_links_that_lead_in_circles(volume, tmp_path, capsys):
    """Path.resolve raises RuntimeError or OSError for them, whatever the version of Python."""
    circle = tmp_path / "circle.nrrd"
    circle.symlink_to(circle)
    out = tmp_path / "out.nrrd"
    words = ["segment", circle, "--method", "smoothing", "-o", out]
    assert "There is no file" in refused(capsys, out, words)
    words = ["segment", str(volume), "--method", "smoothing", "-o", str(circle)]
    assert main(words) == exit_codes.OK
    assert Mask.read(circle).array.any()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_an_unwritable_folder(volume, capsys):
    words = ["segment", str(volume), "--method", "smoothing", "-o", "/proc/out.nrrd"]
    assert main(words) == exit_codes.BAD_INPUT
    assert "choose another folder" in capsys.readouterr().err


def test_a_full_disk_keeps_the_old_file(volume, tmp_path, capsys):
    resource = pytest.importorskip("resource")
    out = tmp_path / "out.mha"
    out.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A file size limit fails in the same place as a full disk; Python ignores its signal.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        sentence = refused(capsys, out, ["segment", volume, "--method", "smoothing", "-o", out])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "disk is full" in sentence


def test_cuda_where_there_is_none(volume, tmp_path, capsys):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this computer has CUDA")
    out = tmp_path / "out.nrrd"
    words = ["segment", volume, "--method", "smoothing", "-o", out, "--device", "cuda"]
    assert "not available" in refused(capsys, out, words)


MODELS = Path(__file__).resolve().parents[3] / "Resources" / "Models"


@pytest.fixture
def broken_model(smoothing):
    """A copy of a bundled model under another name, whose weights a test may spoil."""
    cards = sorted(MODELS.glob("cdal/*/model.json"))
    if not cards:
        pytest.skip("no model is bundled")
    values = json.loads(cards[0].read_text())
    folder = smoothing / values["method"] / "copy"
    shutil.copytree(cards[0].parent, folder)
    values["name"], values["default"] = "copy", False
    (folder / "model.json").write_text(json.dumps(values))
    return values["method"], next(folder.glob("*.safetensors"))


def flip_one_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-1000])


def pickle_instead(path):
    path.write_bytes(pickle.dumps({"weight": list(range(1000))}))


def remove(path):
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (flip_one_bit, "sha256"),
        (cut_off, "cut off"),
        (pickle_instead, "pickle"),
        (remove, "missing"),
    ],
    ids=lambda part: getattr(part, "__name__", None),
)
def test_weights_that_cannot_be_trusted(spoil, word, broken_model, volume, tmp_path, capsys):
    method, weights = broken_model
    spoil(weights)
    out = tmp_path / "out.nrrd"
    words = ["segment", volume, "--method", method, "--model", "copy", "-o", out]
    assert word in refused(capsys, out, words)


def test_a_colour_picture_for_a_model_of_mr(tmp_path, capsys):
    cards = [json.loads(path.read_text()) for path in MODELS.glob("*/*/model.json")]
    wanted = [card for card in cards if all(part["kind"] != "RGB" for part in card["inputs"])]
    if not wanted:
        pytest.skip("no model of scalar images is bundled")
    picture = tmp_path / "picture.png"
    array = np.random.default_rng(1).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    save(picture, array, is_vector=True)
    out = tmp_path / "out.seg.nrrd"
    words = ["segment", picture, "--method", wanted[0]["method"], "--model", wanted[0]["name"]]
    assert "colour picture" in refused(capsys, out, [*words, "-o", out])
