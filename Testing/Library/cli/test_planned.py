"""`diffusionseg segment` with a bundled model says what it will cost, and then what it did."""

import json

import pytest

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.methods.cdal.drawing import Drawing
from Testing.Project.source import ROOT

IMAGE = ROOT / "Resources" / "Samples" / "isic2017_98" / "images" / "ISIC_0012956.jpg"
NUCLEI = ROOT / "Resources" / "Samples" / "dsb2018_nuclei" / "images" / "fluorescence_013.png"


def segment(image, model, *words):
    return main(["segment", str(image), "--method", "cdal", "--model", model, "--device", "cpu",
                 *map(str, words)])  # fmt: skip


def test_the_plan_comes_first_and_is_all_with_dry_run(tmp_path, capsys):
    assert segment(IMAGE, "skin-lesion", "--plan", "--samples", 2) == exit_codes.OK
    planned = capsys.readouterr().out.strip()
    assert planned.startswith("About ") and planned.endswith("(1 window, up to 2 samples).")
    out = tmp_path / "out.png"
    assert segment(IMAGE, "skin-lesion", "--samples", 2, "-o", out) == exit_codes.OK
    told = capsys.readouterr()
    assert "on the processor (1 window, up to 2 samples)." in told.err.splitlines()[0]
    assert "For lack of memory" not in told.out and out.exists()
    assert segment(IMAGE, "skin-lesion", "--plan", "--json") == exit_codes.OK
    plan = json.loads(capsys.readouterr().out)
    assert plan["fits"] is True and plan["seconds"] > 0 and plan["memory_bytes"] > 1e7


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_done_with_less_is_the_last_line(tmp_path, capsys, caplog, monkeypatch, as_json):
    real = Drawing._draw_on

    def scarce(self, grid, *more):
        if grid.largest_kji is not None:
            raise MemoryError
        return real(self, grid, *more)

    monkeypatch.setattr(Drawing, "_draw_on", scarce)
    words = ["--samples", 1, "-o", tmp_path / "out.png", *(["--json"] if as_json else [])]
    assert segment(NUCLEI, "nuclei", *words) == exit_codes.OK
    told = capsys.readouterr()
    assert "Going on in smaller windows" in caplog.text
    said = "For lack of memory it was outlined in "
    if as_json:
        result = json.loads(told.out)
        assert said in result["verdict"]["reason"]
        assert "in smaller windows" in result["provenance"]["parameters"]["adjusted_for_memory"]
    else:
        assert told.out.strip().splitlines()[-1].startswith(said)
