import json
import os
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest

from DiffusionSegLib.doctor import devices, folders, models, network, report
from DiffusionSegLib.doctor.report import ALL_WELL, Report
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import Cancelled, ModelError
from DiffusionSegLib.progress import Progress

NAMES = [
    "versions", "worker_python", "worker_test", "devices", "environment", "folders", "models",
    "network", "samples",
]  # fmt: skip


@pytest.fixture(scope="module")
def quick():
    """Of this installation, nothing run; and what was reported of the progress."""
    heard = []
    return report.report(run=False, progress=Progress(listener=heard.append)), heard


def saying(*problems):
    return Report((Section("A", ("line 1", "line 2"), problems, {"n": 3}, "a"),))


def test_this_installation_works(quick):
    found, _ = quick
    assert found.problems == ()
    assert [section.name for section in found.sections] == NAMES
    assert found.text.endswith(
        "\n\nEverything works. (The worker and the sample images were not tried.)\n"
    )


def test_a_check_has_one_title_whether_it_can_be_made_or_not(quick):
    titles = {section.name: section.title for section in quick[0].sections}
    for name, _, title in report._CHECKS:
        assert import_module(f"DiffusionSegLib.doctor.{name}").TITLE == title == titles[name]


def test_people_and_programs_are_told_the_same(quick):
    found, _ = quick
    told = json.loads(json.dumps(found.to_dict()))
    assert list(told["sections"]) == NAMES
    assert (told["works"], told["complete"], told["problems"]) == (True, False, [])
    for section in found.sections:
        assert section.title in found.text
        for line in section.lines:
            assert f"  {line}\n" in found.text


def test_progress_is_told_and_grows(quick):
    _, heard = quick
    fractions = [one.fraction for one in heard]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert {"Devices", "Models", "The worker's Python"} <= {one.stage for one in heard}


def test_torch_is_never_imported_here(quick):
    """In a process of its own, since tests of others import it."""
    import subprocess

    code = (
        "import sys\nfrom DiffusionSegLib.doctor.report import report\nfound = report(run=False)\n"
        "assert found.works, found.problems\nassert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_problems_are_numbered_with_what_to_do():
    found = saying(Problem("One is wrong; mend it."), Problem("Two is wrong; mend it."))
    assert found.text == (
        "A\n  line 1\n  line 2\n\n2 problems:\n  1. One is wrong; mend it.\n"
        "  2. Two is wrong; mend it.\n"
    )
    assert not found.works
    assert saying(Problem("x")).verdict == "1 problem:\n  1. x"
    assert saying().verdict == ALL_WELL == "Everything works."


def test_what_is_said_twice_is_one_problem():
    found = saying(
        Problem("torch is missing", "torch"),
        Problem("no answer", "torch"),
        Problem("x"),
        Problem("x"),
    )
    assert found.problems == ("torch is missing", "x")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ModelError("The folder is odd; mend it."), "The folder is odd; mend it."),
        (OSError(5, "Input/output error"), "The check 'Folders' could not be made: [Errno 5] "
         "Input/output error; mend that and try again."),
        (ZeroDivisionError("by zero"), "The check 'Folders' failed by a mistake in the program "
         "(ZeroDivisionError: by zero); please report it."),
        (ImportError("No module named 'x'", name="x"), "Not looked into: No module named 'x'."),
    ],
)  # fmt: skip
def test_a_check_that_fails_is_a_line_and_not_the_end(monkeypatch, quick, error, line):
    def fail(examined, progress):
        raise error

    monkeypatch.setattr(folders, "section", fail)
    for module in (devices, models):  # the slow ones
        monkeypatch.setattr(module, "section", lambda examined, progress: Section("x", ()))
    found = report.report(("ssh", "host"), run=False)
    by_name = {section.name: section for section in found.sections}
    assert by_name["folders"].lines == (line,)
    assert list(by_name) == NAMES
    assert len(found.problems) == 1


def test_missing_packages_are_named_once_with_the_command_that_installs_them(monkeypatch):
    lacking = [SimpleNamespace(module="numpy", requirement="numpy>=1.26"),
               SimpleNamespace(module="torch", requirement="torch>=2.4,<3")]  # fmt: skip
    monkeypatch.setattr("DiffusionSegLib.environments.packages.missing", lambda: lacking)

    def fail(examined, progress):
        import no_such_package  # noqa: F401

    for module in (folders, devices, models):
        monkeypatch.setattr(module, "section", fail)
    found = report.report(("ssh", "host"), run=False)
    assert found.problems == (
        "This Python lacks packages that DiffusionSeg needs: numpy, torch. Install them: pip "
        'install "numpy>=1.26" "torch>=2.4,<3"',
    )


def test_a_request_to_stop_is_heard_between_and_within_checks(monkeypatch):
    with pytest.raises(Cancelled):
        report.report(run=False, progress=Progress(cancelled=lambda: True))
    told = []
    with pytest.raises(Cancelled):
        report.report(
            ("ssh", "host"), run=False, progress=Progress(told.append, lambda: len(told) > 5)
        )


def test_a_listener_that_is_gone_ends_the_report():
    """As when Slicer, which started it here or over ssh, has been killed; also within a check,
    whose own failures end nothing."""
    heard = []

    def listen(told):
        heard.append(told.stage)
        if "Models" in heard and told.fraction > 0.5:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        report.report(("ssh", "host"), run=False, progress=Progress(listen))
    assert heard[-1] != "Done"


def test_the_worker_is_ended_whatever_happens(monkeypatch):
    closed = []

    def fail(examined, progress):
        examined.client = SimpleNamespace(close=lambda: closed.append(1))
        raise Cancelled()

    monkeypatch.setattr(network, "section", fail)
    for module in (devices, models):
        monkeypatch.setattr(module, "section", lambda examined, progress: Section("x", ()))
    with pytest.raises(Cancelled):
        report.report(("ssh", "host"), run=False)
    assert closed == [1]


def test_the_folder_of_a_worker_that_does_not_start_is_not_told():
    command = ("/data/Smith John/bin/python", "-m", "DiffusionSegLib.cli.main", "worker")
    found = report.report(command, run=False)
    assert "Smith" not in found.text
    assert "<worker's folder>/python" in found.text


def test_what_checks_say_is_made_discreet(monkeypatch):
    home = os.path.expanduser("~")

    def tell(examined, progress):
        text = f"{home}/a/b hf_0123456789"
        return Section("Folders", (text,), (Problem(text),), {"x": [text]})

    monkeypatch.setattr(folders, "section", tell)
    for module in (devices, models):
        monkeypatch.setattr(module, "section", lambda examined, progress: Section("x", ()))
    found = report.report(("ssh", "host"), run=False, variables={"HF_TOKEN": "hf_0123456789"})
    everything = found.text + json.dumps(found.to_dict())
    assert "hf_0123456789" not in everything
    assert f"{home}/a" not in everything
    assert "<HF_TOKEN>" in found.problems[0]
