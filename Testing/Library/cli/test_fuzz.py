"""Random command lines: never a traceback, always one of the documented exit codes."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import main
from Testing.Library.cli.fixtures import bright_volume

ALLOWED = {exit_codes.OK, exit_codes.NOT_FOUND, exit_codes.BAD_INPUT}
COMMANDS = ["segment", "evaluate", "methods", "models", "convert"]
WORDS = st.sampled_from(
    [
        "volume.nii.gz", "missing.nii", "notes.txt", ".", "", "out.nrrd", "out.seg.nrrd", "out.png",
        "-o", "--output", "--method", "smoothing", "cdal", "smothing", "--model", "bright", "parts",
        "--text", "--point", "1,2,3", "-3,15,34:-", "1e308,1,1", "--box", "0,0,0,5,5,5", "--region",
        "--frame", "lps", "pixel", "--samples", "3", "--threshold", "0.5", "--seed", "0",
        "--device", "cpu", "auto", "--set", "width=2", "width=", "--json", "--quiet",
        "--channels", "ct",
        "--images", "--labels", "--label-values", "1,2", "--clicks", "--csv", "--sheet", "--cases",
        "--split", "test", "--limit", "--negatives", "--ignore-value", "info", "verify", "list",
        "--no-overwrite", "--probability", "--uncertainty", "-h", "--", "-", "-1", "--help=3",
    ]
)  # fmt: skip
# No NUL: the system cannot pass it to a program.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
LINES = st.lists(st.one_of(WORDS, WORDS, TEXT), max_size=14)


@pytest.fixture
def workplace(smoothing):
    """A folder of its own for every line, so that nothing is written anywhere else."""
    start = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        bright_volume().write("volume.nii.gz")
        Path("notes.txt").write_text("a\nb\n")
        yield Path(folder)
        os.chdir(start)


def check(words, capsys):
    words = [word for word in words if word != "--debug"]  # it shows a traceback on purpose
    code = main(words)
    told = capsys.readouterr()
    assert code in ALLOWED, (words, told.err)
    assert "Traceback" not in told.out + told.err
    if code == exit_codes.BAD_INPUT and words[:1] != ["evaluate"]:
        sentences = [line for line in told.err.splitlines() if line.startswith("diffusionseg: ")]
        verified = words[:1] == ["models"] and "verify" in words
        assert len(sentences) == 1 or verified, (words, told.err)


fuzz = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@fuzz
@given(LINES)
def test_any_words(workplace, capsys, words):
    # demo and train do real work; their options are tested elsewhere.
    if not {"demo", "train"} & set(words):
        check(words, capsys)


@fuzz
@given(st.sampled_from(COMMANDS), LINES)
def test_any_words_after_a_command(workplace, capsys, command, words):
    check([command, *words], capsys)


OPTIONS = st.sampled_from(
    ["--text", "--point", "--box", "--region", "--samples", "--threshold", "--seed", "--device",
     "--set", "--channels", "--frame", "--probability", "--uncertainty", "--model"]
)  # fmt: skip
NUMBERS = st.lists(st.floats(), min_size=1, max_size=6).map(
    lambda values: ",".join(repr(value) for value in values)
)


@fuzz
@given(st.lists(st.tuples(OPTIONS, st.one_of(TEXT, NUMBERS, WORDS)), max_size=3))
def test_any_values_for_a_complete_line(workplace, capsys, pairs):
    more = [f"{option}={value}" for option, value in pairs]
    check(["segment", "volume.nii.gz", "--method", "smoothing", "-o", "out.nrrd", *more], capsys)
