import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from DiffusionSegLib.backbones.places import bundled_folders
from DiffusionSegLib.cli.main import main
from DiffusionSegLib.doctor.report import Report
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import Cancelled
from Testing.Project.source import ROOT

COMMAND = [sys.executable, "-m", "DiffusionSegLib.cli.main", "doctor"]
WELL = Report((Section("A", ("fine",), (), {"n": 1}, "a"),))
ILL = Report((Section("A", ("odd",), (Problem("It is odd; mend it."),), {}, "a"),))


@pytest.fixture
def answering(monkeypatch):
    """The command with a report that is made already; and how it was asked for."""
    asked = SimpleNamespace(run=None, found=WELL)

    def report(command=None, run=True, progress=None):
        asked.run = run
        progress.report(0.5, "Models")
        if isinstance(asked.found, BaseException):
            raise asked.found
        return asked.found

    monkeypatch.setattr("DiffusionSegLib.doctor.report.report", report)
    return asked


def test_a_report_and_zero_when_all_is_well(answering, capsys):
    assert main(["doctor"]) == 0
    assert answering.run is True
    told = capsys.readouterr()
    assert told.out == "A\n  fine\n\nEverything works.\n"


def test_two_when_there_is_a_problem(answering, capsys):
    answering.found = ILL
    assert main(["doctor", "--no-run"]) == 2
    assert answering.run is False
    assert capsys.readouterr().out == "A\n  odd\n\n1 problem:\n  1. It is odd; mend it.\n"


def test_json(answering, capsys):
    answering.found = ILL
    assert main(["doctor", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {
        "works": False,
        "complete": True,
        "problems": ["It is odd; mend it."],
        "sections": {"a": {"lines": ["odd"]}},
        "text": ILL.text,
    }


def test_into_a_file(answering, capsys, tmp_path):
    path = tmp_path / "report.txt"
    assert main(["doctor", "--output", str(path)]) == 0
    assert path.read_text("utf-8") == WELL.text
    assert capsys.readouterr().out == f"Everything works.\n\nThe report: {path}\n"
    assert main(["doctor", "--output", str(path), "--json", "--quiet"]) == 0
    assert json.loads(path.read_text("utf-8"))["works"] is True
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_looked_at(answering, capsys):
    assert main(["doctor", "--output", "/no/such/folder/report.txt"]) == 2
    assert answering.run is None
    assert "/no/such/folder" in capsys.readouterr().err


def test_a_disk_that_fills_up_meanwhile_costs_no_report(answering, capsys, tmp_path, monkeypatch):
    path = tmp_path / "report.txt"

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["doctor", "--output", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == WELL.text
    assert "disk is full" in told.err
    assert not path.exists()


def test_quiet_prints_problems_alone(answering, capsys):
    assert main(["doctor", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    answering.found = ILL
    assert main(["doctor", "--quiet"]) == 2
    assert capsys.readouterr().out == "1 problem:\n  1. It is odd; mend it.\n"


@pytest.mark.parametrize("stop", [Cancelled(), KeyboardInterrupt()])
def test_stopping_it(answering, capsys, stop):
    answering.found = stop
    assert main(["doctor"]) == 130
    told = capsys.readouterr()
    assert (told.out, told.err.splitlines()[-1]) == ("", "Stopped.")


def test_help_tells_options_and_exit_codes(capsys):
    assert main(["doctor", "--help"]) == 0
    told = capsys.readouterr().out
    for words in ("--no-run", "--json", "--output FILE", "Exit code: 0", "2 when", "130 when"):
        assert words in told


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
@pytest.mark.timeout(60)
def test_ctrl_c_ends_the_worker_too(tmp_path):
    """torch hangs while it is imported, in the first child that is asked."""
    (tmp_path / "torch.py").write_text(
        f"open({str(tmp_path / 'begun')!r}, 'w').close()\nimport time\ntime.sleep(50)\n"
    )
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    while not (tmp_path / "begun").exists():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, complaints = process.communicate(timeout=40)
    assert (process.returncode, out) == (130, "")
    assert complaints.splitlines()[-1] == "Stopped."


PLANTED = {
    "user": "ottilieq",
    "host": "ward7scanner",
    "patient": "Mustermann^Erika",
    "password": "pa55w0rdX",
    "proxy host": "proxy.klinik.example",
    "token": "hf_plantedToken",
    "second token": "plantedWeightsToken",
    "mirror host": "mirror.klinik.example",
    "folder": "geheimstation",
}


@pytest.fixture
def told_in_private(tmp_path):
    """What the command prints on a computer full of private names, some of them in errors."""
    home = tmp_path / "home" / PLANTED["user"]
    models = tmp_path / PLANTED["folder"] / PLANTED["patient"] / "models"
    damaged = models / "cdal" / "nuclei"
    home.mkdir(parents=True)
    shutil.copytree(bundled_folders()[0] / "cdal" / "nuclei", damaged)
    card = json.loads((damaged / "model.json").read_text("utf-8"))
    (damaged / "model.json").write_text(json.dumps({**card, "name": "mine"}), "utf-8")
    (damaged / "weights.safetensors").write_bytes(b"damaged")
    (models / "cdal" / "bad").mkdir()
    (models / "cdal" / "bad" / "model.json").write_text("{")
    environment = {
        **os.environ,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "USER": PLANTED["user"],
        "LOGNAME": PLANTED["user"],
        "HOSTNAME": PLANTED["host"],
        "COMPUTERNAME": PLANTED["host"],
        "DIFFUSIONSEG_MODELS": str(models),
        "DIFFUSIONSEG_ENVIRONMENT": str(tmp_path / PLANTED["folder"] / "environment"),
        "DIFFUSIONSEG_MIRROR": f"https://{PLANTED['mirror host']}/models",
        "DIFFUSIONSEG_TOKENS": f"{PLANTED['mirror host']}={PLANTED['second token']}",
        "HF_TOKEN": PLANTED["token"],
        "HTTPS_PROXY": f"http://{PLANTED['user']}:{PLANTED['password']}@{PLANTED['proxy host']}:80",
    }

    def tell(*options):
        return subprocess.run(
            [*COMMAND, *options], cwd=ROOT, env=environment, capture_output=True, text=True,
            encoding="utf-8", check=False,
        )  # fmt: skip

    return tell


@pytest.mark.parametrize(
    "options",
    [["--no-run"], ["--no-run", "--json"], pytest.param([], marks=pytest.mark.slow)],
    ids=["quick", "json", "whole"],
)
def test_nothing_private_is_told(told_in_private, options):
    done = told_in_private(*options)
    assert done.returncode == 2, done.stderr
    everything = (done.stdout + done.stderr).lower()
    leaked = [name for name, value in PLANTED.items() if value.lower() in everything]
    assert leaked == []
    for told in ("cdal/mine", "weights.safetensors", "<models folder>/cdal/bad/model.json",
                 "https_proxy", "hf_token", "diffusionseg_mirror"):  # fmt: skip
        assert told in everything


def test_a_broken_torch_gets_a_full_report(tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise RuntimeError('no libcudart.so.12')")
    done = subprocess.run(
        COMMAND, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    for title in ("Versions", "Worker", "Devices", "Folders", "Models", "Sample images"):
        assert f"\n{title}\n" in f"\n{done.stdout}"
    last = done.stdout.partition("\n1 problem:\n")[2]
    assert last.startswith("  1. ") and "torch" in last
    assert "RuntimeError: no libcudart.so.12" in last and last.endswith("again.\n")
