"""Shells leave streams closed, full or in other encodings: the exit code and files stay right."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.nouns.image import Image
from Testing.Library.cli.fixtures import EXTRA_METHODS

REPOSITORY = Path(__file__).resolve().parents[3]
shells = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a shell and /dev/full")


def run(words, redirected="", cwd=None, before="", **environment):
    """The command in a shell, as `diffusionseg WORDS REDIRECTED`, with the test method."""
    code = (
        f"{before}\nimport sys\nfrom DiffusionSegLib import methods\n"
        f"methods.__path__ = [*methods.__path__, {str(EXTRA_METHODS)!r}]\n"
        f"from DiffusionSegLib.cli.main import main\nsys.exit(main({words!r}))"
    )
    return subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {redirected}', sys.executable, code], cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}, timeout=60,
        capture_output=True,
    )  # fmt: skip


@shells
@pytest.mark.parametrize(
    ("words", "redirected", "code", "told"),
    [
        (["methods"], ">&-", exit_codes.OK, ""),
        (["methods"], ">&- 2>&- <&-", exit_codes.OK, ""),
        (["segment", "no.nii", "--method", "cdal", "-o", "x.nrrd"], "2>&-",
         exit_codes.BAD_INPUT, ""),
        (["methods"], ">/dev/full", exit_codes.BAD_INPUT,
         "diffusionseg: What this command prints cannot be written (No space left on device); free "
         "some space, or let it print elsewhere.\n"),
        (["methods", "--json"], ">/dev/full", exit_codes.BAD_INPUT, None),
        (["segment", "no.nii", "--method", "cdal", "-o", "x.nrrd", "--json"],
         ">/dev/full 2>/dev/full", exit_codes.BAD_INPUT, ""),
    ],
)  # fmt: skip
def test_closed_and_full_streams(words, redirected, code, told, tmp_path):
    done = run(words, redirected, cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    if told is not None:
        assert done.stderr.decode() == told
    assert not list(tmp_path.iterdir())


@shells
def test_a_name_that_the_output_cannot_spell_is_written_all_the_same(smoothing, tmp_path):
    values = np.zeros((6, 12, 14), np.uint8)
    values[2:4, 4:9, 4:10] = 200
    Image.from_array(values).write(tmp_path / "schädel.nii")
    words = ["segment", "schädel.nii", "--method", "smoothing", "-o", "umriß.nrrd"]
    done = run(words, cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == exit_codes.OK, done.stderr
    assert done.stdout.decode("ascii").rstrip().endswith("umri\\xdf.nrrd")
    assert (tmp_path / "umriß.nrrd").is_file()


@shells
@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ("import sys; sys.modules['torch'] = None", "(import of torch halted"),
        ("import sys\nclass Broken:\n def find_spec(self, name, *more):\n  if name == 'torch':\n"
         "   raise ImportError('libtorch_cpu.so: no such file', name='_C')\n"
         "sys.meta_path.insert(0, Broken())", "(libtorch_cpu.so: no such file)"),
    ],
)  # fmt: skip
def test_a_python_without_torch_is_no_mistake_in_the_program(before, problem, tmp_path):
    Image.from_array(np.arange(8 * 8 * 8).reshape(8, 8, 8)).write(tmp_path / "x.nii")
    words = ["segment", "x.nii", "--method", "cdal", "-o", "out.nrrd"]
    done = run(words, cwd=tmp_path, before=before)
    told = done.stderr.decode()
    assert done.returncode == exit_codes.BAD_INPUT
    assert f"The Python package torch is missing or broken in {sys.executable} {problem}" in told
    assert told.endswith("-m pip install --force-reinstall torch.\n")
    assert len(told.splitlines()) == 1
