"""`diffusionseg segment` with a small real method: words in, files out."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from Testing.Library.cli.fixtures import GEOMETRY, SPOT, bright_volume, spot_mask

pytestmark = pytest.mark.usefixtures("smoothing")


def segment(*words):
    return main(["segment", *(str(word) for word in words), "--method", "smoothing"])


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nrrd", ".nii.gz", ".mha"])
def test_an_outline_is_written_and_told(volume, tmp_path, capsys, suffix):
    out = tmp_path / f"out{suffix}"
    assert segment(volume, "-o", out) == exit_codes.OK
    mask = Mask.read(out)
    truth = spot_mask().array
    overlap = (
        2 * np.sum((mask.array > 0) & (truth > 0)) / (mask.array.astype(bool).sum() + truth.sum())
    )
    assert overlap > 0.9
    assert mask.geometry.is_close(GEOMETRY)
    told = capsys.readouterr()
    assert told.out.startswith(f"FOUND (0.90): spot {mask.volume_ml():.2f} ml; ")
    assert told.out.strip().endswith(str(out))
    assert len(told.out.splitlines()) == 1


def test_one_series_of_a_folder_may_be_chosen(tmp_path, capsys):
    scan = bright_volume()
    for uid, brightness in (("1.2.3", 1), ("1.2.4", 2)):
        for number, pixels in enumerate(scan.array[0]):
            dicom = sitk.GetImageFromArray(pixels[None].astype(np.int16) * brightness)
            place = f"0\\0\\{number}"
            for key, value in (("0020|000e", uid), ("0020|0032", place), ("0008|0060", "MR")):
                dicom.SetMetaData(key, value)
            writer = sitk.ImageFileWriter()
            writer.KeepOriginalImageUIDOn()
            writer.SetFileName(str(tmp_path / f"{uid}_{number}.dcm"))
            writer.Execute(dicom)
    out = tmp_path / "out.nrrd"
    assert segment(tmp_path, "-o", out) == exit_codes.BAD_INPUT
    assert "1.2.4). Choose one by its number (--series in a terminal" in capsys.readouterr().err
    assert segment(tmp_path, "--series", "1.2.4", "-o", out) == exit_codes.OK
    assert Mask.read(out).array.shape == scan.array.shape[1:]
    assert segment(tmp_path, "--series", "1.2.5", "-o", out) == exit_codes.BAD_INPUT


def test_json_is_all_that_stdout_gets(volume, tmp_path, capsys):
    paths = {name: tmp_path / f"{name}.nii.gz" for name in ("out", "probability", "uncertainty")}
    code = segment(
        volume, "-o", paths["out"], "--json", "--seed", 7,
        "--probability", paths["probability"], "--uncertainty", paths["uncertainty"],
    )  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert code == told["exit_code"] == exit_codes.OK
    assert told["verdict"]["state"] == "FOUND"
    assert told["labels"][0]["name"] == "spot"
    assert told["labels"][0]["volume_ml"] == pytest.approx(Mask.read(paths["out"]).volume_ml())
    assert told["provenance"]["seed"] == 7
    assert set(told["written"]) == {"segmentation", "probability", "uncertainty"}
    probability = Image.read(paths["probability"]).array
    assert 0 <= probability.min() < 0.1
    assert 0.9 < probability.max() <= 1
    assert Image.read(paths["uncertainty"]).array.max() <= 0.5


def test_a_photograph_in_and_a_picture_out(photograph, tmp_path, capsys):
    out, probability = tmp_path / "out.png", tmp_path / "probability.png"
    assert segment(photograph, "-o", out, "--probability", probability) == exit_codes.OK
    area = int((Mask.read(out).array > 0).sum())
    assert area == pytest.approx(20 * 30, rel=0.1)
    assert f"spot {area} px" in capsys.readouterr().out
    assert Image.read(probability).array.max() == 255


def test_several_labels(volume, tmp_path, capsys):
    out = tmp_path / "out.seg.nrrd"
    assert segment(volume, "--model", "parts", "-o", out) == exit_codes.OK
    assert [label.name for label in Mask.read(out).labels] == ["core", "rim"]
    assert "core" in capsys.readouterr().out


def test_nothing_found_writes_nothing_and_keeps_the_old_file(tmp_path, capsys):
    dark, out = tmp_path / "dark.nii.gz", tmp_path / "out.seg.nrrd"
    bright_volume(value=30).write(dark)
    out.write_text("old")
    probability = tmp_path / "probability.nrrd"
    code = segment(dark, "-o", out, "--probability", probability)
    assert code == exit_codes.NOT_FOUND
    assert out.read_text() == "old"
    assert not probability.exists()
    said = capsys.readouterr().out
    assert said == "NOT_FOUND (0.10): The image is dark. Nothing was written.\n"


def test_found_but_nothing_reaches_the_threshold(volume, tmp_path, capsys):
    out = tmp_path / "out.seg.nrrd"
    code = segment(volume, "-o", out, "--threshold", 1.0, "--model", "parts", "--set", "width=5")
    if code == exit_codes.OK:
        assert not Mask.read(out).is_empty
    else:
        assert "No voxel reaches the threshold 1" in capsys.readouterr().out
        assert not out.exists()


def test_negative_coordinates_in_both_spellings(volume, tmp_path):
    # The middle of the bright block, and of a dark corner, in RAS.
    inside = GEOMETRY.kji_to_ras([(6, 12, 10)])[0]
    text = ",".join(f"{value:g}" for value in inside)
    assert text.startswith("-")
    outs = [tmp_path / f"out{number}.nrrd" for number in range(3)]
    assert segment(volume, "-o", outs[0]) == exit_codes.OK
    assert segment(volume, "-o", outs[1], "--point", text + ":-") == exit_codes.OK
    assert segment(volume, "-o", outs[2], f"--point={text}:-") == exit_codes.OK
    sizes = [int(Mask.read(out).array.sum()) for out in outs]
    assert sizes[1] == sizes[2] == sizes[0] - 125


def test_the_same_click_in_three_frames(volume, tmp_path):
    x, y, z = GEOMETRY.kji_to_ras([(6, 12, 10)])[0]
    masks = []
    for frame, text in (
        ("ras", f"{x},{y},{z}:-"),
        ("lps", f"{-x},{-y},{z}:-"),
        ("pixel", "10,12,6:-"),
    ):
        out = tmp_path / f"{frame}.nrrd"
        assert segment(volume, "-o", out, "--frame", frame, "--point", text) == exit_codes.OK
        masks.append(Mask.read(out).array)
    assert np.array_equal(masks[0], masks[1])
    assert np.array_equal(masks[0], masks[2])
    assert masks[0][6, 12, 10] == 0


def test_channels_are_named_after_the_inputs(tmp_path):
    paths = [tmp_path / name for name in ("x_mr.nii.gz", "x_ct.nii.gz")]
    for path in paths:
        bright_volume().write(path)
    out = tmp_path / "out.nrrd"
    assert segment(*paths, "--model", "pair", "-o", out) == exit_codes.OK
    assert segment(paths[0], "--model", "pair", "--channels", "mr", "-o", out) == exit_codes.OK


def test_parameters_reach_the_method(volume, tmp_path):
    sizes = []
    for width in ("0", "4"):
        out = tmp_path / f"{width}.nrrd"
        assert segment(volume, "-o", out, "--set", f"width={width}") == exit_codes.OK
        sizes.append(int(Mask.read(out).array.sum()))
    assert sizes[0] == np.prod([part.stop - part.start for part in SPOT])
    assert sizes[1] != sizes[0]


def test_quiet_is_silent(volume, tmp_path, capsys):
    assert segment(volume, "-o", tmp_path / "out.nrrd", "--quiet") == exit_codes.OK
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


def test_an_existing_file_is_replaced_only_if_wanted(volume, tmp_path, capsys):
    out = tmp_path / "out.nrrd"
    assert segment(volume, "-o", out) == exit_codes.OK
    before = out.read_bytes()
    assert segment(volume, "-o", out, "--no-overwrite") == exit_codes.BAD_INPUT
    assert "exists already" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert segment(volume, "-o", out) == exit_codes.OK


def test_candidates_are_written_beside_the_outline(volume, tmp_path, capsys):
    out = tmp_path / "out.seg.nrrd"
    words = (volume, "-o", out, "--candidates", "--set")
    assert segment(*words, "parts=2") == exit_codes.OK
    paths = [tmp_path / f"out_candidate{number}.seg.nrrd" for number in (1, 2)]
    sizes = [int((Mask.read(path).array > 0).sum()) for path in (paths[0], out, paths[1])]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"part 1 of 2 (score 0.90): {paths[0]}",
        f"part 2 of 2 (score 0.80): {paths[1]}",
    ]
    assert segment(*words, "parts=0") == exit_codes.OK
    assert capsys.readouterr().out.splitlines()[1] == (
        "The method offers no other outline for this prompt."
    )


def test_candidates_in_json(volume, tmp_path, capsys):
    out = tmp_path / "out.nii.gz"
    assert segment(volume, "-o", out, "--json", "--set", "parts=1") == exit_codes.OK
    told = json.loads(capsys.readouterr().out)
    assert told["candidates"] == [{"title": "part 1 of 1", "score": 0.9}]
    assert "candidates" not in told["written"]
    assert not (tmp_path / "out_candidate1.nii.gz").exists()
    words = ("--json", "--candidates", "--set", "parts=1")
    assert segment(volume, "-o", out, *words) == exit_codes.OK
    told = json.loads(capsys.readouterr().out)
    assert told["written"]["candidates"] == [str(tmp_path / "out_candidate1.nii.gz")]


def test_a_candidate_replaces_no_file_unasked(volume, tmp_path, capsys):
    out, other = tmp_path / "out.nrrd", tmp_path / "out_candidate2.nrrd"
    other.write_text("mine")
    words = ("-o", out, "--candidates", "--set", "parts=2")
    assert segment(volume, *words, "--no-overwrite") == exit_codes.BAD_INPUT
    assert f"{other} exists already" in capsys.readouterr().err
    assert [path.name for path in sorted(tmp_path.glob("out*"))] == ["out_candidate2.nrrd"]
    assert segment(volume, *words, "--probability", other) == exit_codes.BAD_INPUT
    assert "Two outputs" in capsys.readouterr().err
    assert other.read_text() == "mine"


def test_the_rule_is_told_and_kept(volume, tmp_path, capsys):
    out = tmp_path / "out.seg.nrrd"
    assert segment(volume, "-o", out, "--frame", "pixel", "--point", "10,12,6") == exit_codes.OK
    assert '; rule "clicks: balls"; ' in capsys.readouterr().out
    assert Mask.read(out).provenance.rule == "clicks: balls"
    assert segment(volume, "-o", out) == exit_codes.OK
    assert "; rule" not in capsys.readouterr().out


def test_a_plan_alone_writes_nothing(volume, capsys):
    assert segment(volume, "--plan") == exit_codes.OK
    told = capsys.readouterr().out
    assert told.startswith("On the processor") and "does not tell" in told
    assert segment(volume, "--dry-run", "--json") == exit_codes.OK
    plan = json.loads(capsys.readouterr().out)
    assert plan["device"] == "cpu" and plan["adjusted"] == [] and plan["seconds"] is None


def test_without_an_output_it_says_so(volume, capsys):
    assert segment(volume) == exit_codes.BAD_INPUT
    assert "Say with -o where the outline is to be written" in capsys.readouterr().err
