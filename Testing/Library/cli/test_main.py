"""Start-up, help, suggestions, interruption, mistakes in the program."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from DiffusionSegLib.cli import exit_codes
from DiffusionSegLib.cli.main import COMMANDS, build_parser, main
from Testing.Library.cli.fixtures import EXTRA_METHODS

REPOSITORY = Path(__file__).resolve().parents[3]


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True,
        env={**os.environ, **environment}, check=False, timeout=60,
    )  # fmt: skip


HEAVY = ("torch", "numpy", "SimpleITK", "scipy", "PIL")


@pytest.mark.parametrize(
    "words", [["--help"], ["segment", "--help"], ["evaluate", "-h"], ["--version"]]
)
def test_help_starts_without_heavy_libraries(words):
    done = run_python(
        "import sys; from DiffusionSegLib.cli.main import main\n"
        f"code = main({words!r}); print(sorted(set({HEAVY!r}) & set(sys.modules))); sys.exit(code)"
    )
    assert done.returncode == exit_codes.OK, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_listing_methods_and_models_does_not_import_torch():
    done = run_python(
        "import sys; from DiffusionSegLib.cli.main import main\n"
        "main(['methods']); main(['models']); print('torch' in sys.modules)"
    )
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_help_is_quick():
    best = 10.0
    for _ in range(3):
        start = time.monotonic()
        done = run_python("from DiffusionSegLib.cli.main import main; main(['--help'])")
        best = min(best, time.monotonic() - start)
        assert done.returncode == 0
    # Half a second on an idle machine, with room for a busy one.
    assert best < 1.0


def test_every_command_has_help(capsys):
    names = list(build_parser()._subparsers._group_actions[0].choices)
    assert len(names) == len(COMMANDS)
    for name in names:
        assert main([name, "--help"]) == exit_codes.OK
    assert "not diffusion MRI" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "no command is given"),
        (["segmnt"], "did you mean 'segment'?"),
        (["segment", "a.nii", "--metod", "cdal"], "did you mean '--method'?"),
        (["segment", "a.nii", "--thresh", "0.5"], "did you mean '--threshold'?"),
        (["segment"], "required: IMAGE, --method"),
        (["segment", "a", "-o", "b", "--method", "c", "--frame", "rsa"], "did you mean 'ras'?"),
        (["segment", "a", "-o", "b", "--method", "c", "--device", "cudo"], "did you mean 'cuda'?"),
        (["segment", "a", "-o", "b", "--method", "c", "--point", "1"], "a point is x,y,z"),
        (["segment", "a", "-o", "b", "--method", "c", "--point=--"], "--point takes no value"),
        (["models", "lst"], "did you mean 'list'?"),
        (["methods", "extra"], "'extra' is not understood"),
        (["train", "cdl"], "Did you mean 'cdal'?"),
        (["train"], "required: METHOD"),
        (["convert", "cdal", "x.pth", "-o", "x.pt"], "must end in .safetensors"),
        (["convert", "cdal", "nowhere.pth", "-o", "x.safetensors"], "does not exist"),
        (["evaluate", "--method", "cdal"], "required: --images, --labels"),
    ],
)
def test_wrong_words_get_one_sentence(words, expected, capsys):
    assert main(words) == exit_codes.BAD_INPUT
    told = capsys.readouterr()
    assert told.out == ""
    assert expected in told.err
    assert len(told.err.splitlines()) == 1


@pytest.mark.usefixtures("smoothing")
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--method", "smothing"], "Did you mean 'smoothing'?"),
        (["--method", "smoothing", "--model", "brigth"], "Did you mean 'bright'?"),
        (["--method", "smoothing", "--set", "widht=1"], "Did you mean 'width'?"),
        (["--method", "smoothing", "--set", "width=9"], "from 0 to 5"),
        (["--method", "smoothing", "--set", "width=x"], "from 0 to 5"),
    ],
)
def test_wrong_names_are_answered_with_the_nearest(more, expected, volume, tmp_path, capsys):
    out = tmp_path / "out.nrrd"
    assert main(["segment", str(volume), "-o", str(out), *more]) == exit_codes.BAD_INPUT
    told = capsys.readouterr()
    assert expected in told.err
    assert len(told.err.splitlines()) == 1
    assert not out.exists()


@pytest.mark.usefixtures("smoothing")
class TestFailures:
    def words(self, volume, tmp_path, fault, *more):
        return [
            "segment", str(volume), "--method", "smoothing", "-o", str(tmp_path / "out.nrrd"),
            "--set", f"fault={fault}", *more,
        ]  # fmt: skip

    def test_a_mistake_in_the_program_is_reported_in_a_file(
        self, volume, tmp_path, capsys, monkeypatch
    ):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert main(self.words(volume, tmp_path, "crash")) == exit_codes.INTERNAL_ERROR
        told = capsys.readouterr().err
        assert len(told.splitlines()) == 1
        (report,) = tmp_path.glob("diffusionseg-crash-*.txt")
        assert str(report) in told
        text = report.read_text()
        assert "ZeroDivisionError: division by zero in the test method" in text
        assert "fault=crash" in text

    def test_debug_shows_where_it_happened(self, volume, tmp_path):
        with pytest.raises(ZeroDivisionError):
            main(self.words(volume, tmp_path, "crash", "--debug"))

    def test_an_interruption_leaves_nothing(self, volume, tmp_path, capsys):
        before = set(tmp_path.iterdir())
        assert main(self.words(volume, tmp_path, "interrupt")) == exit_codes.INTERRUPTED
        told = capsys.readouterr()
        assert told.err == "Stopped.\n"
        assert told.out == ""
        assert set(tmp_path.iterdir()) == before

    def test_too_little_memory(self, volume, tmp_path, capsys):
        assert main(self.words(volume, tmp_path, "memory")) == exit_codes.BAD_INPUT
        assert "memory" in capsys.readouterr().err

    def test_json_holds_the_error_too(self, tmp_path, capsys):
        words = self.words(tmp_path / "none.nii", tmp_path, "none", "--json")
        assert main(words) == exit_codes.BAD_INPUT
        told = capsys.readouterr()
        answer = json.loads(told.out)
        assert answer["exit_code"] == exit_codes.BAD_INPUT
        assert answer["error"]["kind"] == "InputError"
        assert answer["error"]["message"] in told.err

    @pytest.mark.skipif(os.name != "posix", reason="needs signals")
    def test_ctrl_c_in_the_middle(self, volume, tmp_path):
        words = self.words(volume, tmp_path, "slow")
        code = (
            # A shell starts its background jobs, perhaps this test, with the signal ignored.
            "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "import sys\nfrom DiffusionSegLib import methods\n"
            f"methods.__path__ = [*methods.__path__, {str(EXTRA_METHODS)!r}]\n"
            "from DiffusionSegLib.cli import progress_bar\n"
            "progress_bar.SECONDS_BETWEEN_LINES = 0.0\n"
            f"from DiffusionSegLib.cli.main import main\nsys.exit(main({words!r}))"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = ""
        while "waiting" not in line:
            line = process.stderr.readline()
            assert line, "it ended before it began"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == exit_codes.INTERRUPTED
        assert err.splitlines()[-1] == "Stopped."
        assert "Traceback" not in err
        assert out == ""
        assert not (tmp_path / "out.nrrd").exists()
        assert not list(tmp_path.glob(".*"))


def test_a_reader_that_left_is_no_error():
    code = (
        "import sys, os\nfrom DiffusionSegLib.cli.main import main\n"
        "sys.exit(main(['methods', '--json']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == exit_codes.OK
    assert "Traceback" not in error
