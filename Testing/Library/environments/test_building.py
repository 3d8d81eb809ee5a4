"""A real venv, a real pip and a real worker make the environment; only the wheels are toys."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from DiffusionSegLib.environments import building, isolated, plans
from DiffusionSegLib.environments.building import build, plan_environment, remove
from DiffusionSegLib.environments.deleting import delete
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.environments.marker import NAME, Marker, write_marker
from DiffusionSegLib.environments.package_link import linked_package, package_folder, write_link
from DiffusionSegLib.environments.packages import Package
from DiffusionSegLib.environments.probing import probe
from DiffusionSegLib.errors import Cancelled, InputError, OutputError, WorkerError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.client import WorkerClient
from Testing.Library.environments.toy_wheels import (
    BROKEN_TORCH,
    GOOD_TORCH,
    VERSIONS,
    base_python,
    write_wheels,
)
from Testing.Library.worker.toys import children, is_alive, wait_until
from Testing.Project.source import ROOT

MANY_FILES = {f"torch/part{number}.py": "x = 1\n" * 50 for number in range(3000)}


def plan_for(environment, wheels, **options):
    return plan_environment(environment, wheels=wheels, interpreter=base_python(), **options)


def rebuild(environment, wheels, progress=None):
    build(environment, plan_for(environment, wheels), progress or Progress.silent())


def test_it_is_ready_and_says_what_is_in_it(original, wheels):
    assert original.state == "ready"
    marker = original.marker
    assert (marker.torch_build, marker.extras, marker.source) == ("cpu", (), str(wheels))
    assert os.path.samefile(marker.interpreter, base_python())
    assert marker.packages["torch"] == VERSIONS["torch"] and "rich" in marker.packages
    assert marker.date.startswith("20")
    assert original.size_bytes() > 5_000_000
    assert not {"cache", "tmp", "wheels"} & {path.name for path in original.folder.iterdir()}


def test_the_worker_there_is_started_by_its_command(original):
    client = WorkerClient(original.command())
    hello = client.hello().result(60)
    assert Path(hello.python) == original.python
    assert hello.torch == VERSIONS["torch"] and hello.problem is None
    client.close()


def test_this_package_and_nothing_beside_it_is_found_there(original):
    code = "import DiffusionSegLib; print(DiffusionSegLib.__file__); import Testing"
    done = subprocess.run(
        [str(original.python), "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert Path(done.stdout.strip()).parent == package_folder()
    assert "No module named 'Testing'" in done.stderr


def test_the_probe_knows_it_as_an_environment_of_this_program(original):
    found = probe((str(original.python), "-I"))
    assert found.isolated and found.packages["torch"] == VERSIONS["torch"]


def test_progress_is_told_in_words_and_never_goes_back(begun, wheels):
    told = []
    rebuild(begun, wheels, Progress(lambda report: told.append((report.fraction, report.stage))))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    stages = list(dict.fromkeys(stage for _, stage in told))
    assert stages[-2:] == ["Starting the worker there", "The environment is ready"]
    assert any(stage.startswith("Installing") for stage in stages)


@pytest.mark.slow
def test_a_torch_that_does_not_load_leaves_it_incomplete_and_another_mends_it(
    begun, wheels, tmp_path
):
    broken = write_wheels(tmp_path / "broken", BROKEN_TORCH)
    with pytest.raises(WorkerError, match=r"nothing can be computed there.*libc10"):
        rebuild(begun, broken)
    assert begun.state == "incomplete"
    (begun.site_packages / "torch" / "__init__.py").unlink()
    rebuild(begun, wheels)
    assert begun.state == "ready"


def test_files_that_are_gone_come_back_and_foreign_ones_stay_foreign(ready, wheels):
    lost = ready.site_packages / "torch" / "__init__.py"
    lost.unlink()
    (ready.folder / "notes.txt").write_text("mine")
    rebuild(ready, wheels)
    assert lost.read_text() == GOOD_TORCH and ready.state == "ready"
    assert "bin" in ready.marker.made or "Scripts" in ready.marker.made
    assert "notes.txt" not in ready.marker.made


@pytest.mark.slow
def test_a_cancelled_build_ends_within_a_second_and_goes_on_later(begun, tmp_path):
    slow = write_wheels(tmp_path / "slow", more_torch_files=dict([*MANY_FILES.items()][:1500]))
    before, cancelled_s, reached = children(), [], []

    def listen(report):
        reached.append(report.stage)
        if report.stage.startswith("Installing torch") and not cancelled_s:
            cancelled_s.append(time.monotonic())

    plan = plan_for(begun, slow)
    with pytest.raises(Cancelled):
        build(begun, plan, Progress(listen, lambda: bool(cancelled_s)))
    assert time.monotonic() - cancelled_s[0] < 1.0
    assert begun.state == "incomplete"
    wait_until(lambda: not [pid for pid in children() - before if is_alive(pid)])
    build(begun, plan, Progress.silent())
    assert begun.state == "ready"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_build_that_was_killed_while_pip_wrote_goes_on(begun, tmp_path):
    slow = write_wheels(tmp_path / "slow", more_torch_files=MANY_FILES)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from DiffusionSegLib.environments.building import build, plan_environment\n"
        "from DiffusionSegLib.environments.isolated import IsolatedEnvironment\n"
        "from DiffusionSegLib.progress import Progress\n"
        f"one = IsolatedEnvironment(Path({str(begun.folder)!r}))\n"
        f"build(one, plan_environment(one, wheels=Path({str(slow)!r})), Progress.silent())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    torch = begun.site_packages / "torch"
    wait_until(lambda: len(list(torch.glob("part*.py"))) > 20, timeout_s=60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    seen = len(list(torch.glob("part*.py")))
    assert seen < len(MANY_FILES), "it was killed too late"
    assert begun.state == "incomplete"
    rebuild(begun, slow)
    assert begun.state == "ready"
    assert len(list(torch.glob("part*.py"))) == len(MANY_FILES)


def test_a_pip_that_was_not_written_to_its_end_is_noticed(begun):
    assert building._has_pip(begun)
    delete(begun.site_packages / "pip" / "_vendor" / "resolvelib")
    assert not building._has_pip(begun)


def test_a_disk_without_room_is_told_before_anything_is_written(wheels, tmp_path):
    environment = IsolatedEnvironment(tmp_path / "env")
    plan = replace(plan_for(environment, wheels), disk_bytes=10**18)
    with pytest.raises(OutputError, match=r"1000000000\.0 GB are needed.*are free"):
        build(environment, plan, Progress.silent())
    assert not environment.folder.exists()


def test_a_folder_with_other_things_is_refused_and_stays(wheels, tmp_path):
    folder = tmp_path / "env"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    environment = IsolatedEnvironment(folder)
    assert environment.state == "absent"
    with pytest.raises(InputError, match="holds other things"):
        build(environment, plan_for(environment, wheels), Progress.silent())
    assert remove(environment) == 0
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_one_builds_at_a_time(ready, wheels):
    with building._alone(ready), pytest.raises(InputError, match="Another window"):
        rebuild(ready, wheels)
    assert ready.state == "ready"


def test_a_package_that_moved_is_found_again(ready, tmp_path):
    write_link(ready.site_packages, tmp_path / "Slicer 5.12 für Jürgen" / "DiffusionSegLib")
    assert "Jürgen" in str(linked_package(ready.site_packages))
    assert ready.state == "ready"
    assert linked_package(ready.site_packages) == package_folder()


def test_other_needs_make_it_outdated(ready, wheels, monkeypatch):
    table = isolated.packages()
    newer = [replace(one, requirement="rich>=99") if one.module == "rich" else one for one in table]
    monkeypatch.setattr(isolated, "packages", lambda extras: newer)
    assert ready.state == "outdated"
    monkeypatch.setattr(
        isolated, "packages", lambda extras: (*table, Package("new", "new-one>=1", "", 1))
    )
    assert ready.state == "outdated"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a link to the Python that it was made from")
def test_a_python_that_has_gone_makes_it_outdated_and_a_build_mends_it(ready, wheels):
    for link in (ready.folder / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/no/such/python")
    assert ready.state == "outdated"
    rebuild(ready, wheels)
    assert ready.state == "ready"


def test_a_python_that_has_gone_is_noticed_where_the_environment_s_own_stays(ready):
    write_marker(ready.folder, replace(ready.marker, interpreter="/no/such/python"))
    assert ready.state == "outdated"


@pytest.mark.skipif(os.name != "posix", reason="a file in the place of a folder")
def test_a_place_that_cannot_be_written_to_is_a_sentence(wheels):
    environment = IsolatedEnvironment(Path("/dev/null/env"))
    with pytest.raises(OutputError, match=r"/dev/null.*could not be written.*_ENVIRONMENT"):
        rebuild(environment, wheels)


def test_a_long_name_is_warned_of_on_windows(tmp_path):
    long = IsolatedEnvironment(tmp_path / ("x" * 100))
    (warning,) = plans._path_warning(long, "win32")
    assert "C:\\DiffusionSeg" in warning
    assert plans._path_warning(long, "linux") == ()
    assert plans._path_warning(IsolatedEnvironment(Path("/x")), "win32") == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 2, "ready": true}'])
def test_a_marker_that_cannot_be_read_is_incomplete(tmp_path, text):
    (tmp_path / NAME).write_text(text)
    assert IsolatedEnvironment(tmp_path).state == "incomplete"


def test_removal_leaves_nothing_of_its_own_and_everything_else(ready, tmp_path):
    (ready.folder / "notes.txt").write_text("mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "scan.dcm").write_text("a patient")
    if os.name == "posix":
        (ready.folder / "lib" / "link").symlink_to(outside)
    size = ready.size_bytes()
    told = []
    freed = remove(ready, Progress(lambda report: told.append(report.fraction)))
    assert freed == pytest.approx(size, abs=20)  # the marker says "false" by then
    assert told == sorted(told) and told[-1] == pytest.approx(1.0, abs=0.01)
    assert ready.state == "absent" and remove(ready) == 0
    assert [path.name for path in ready.folder.iterdir()] == ["notes.txt"]
    assert (outside / "scan.dcm").read_text() == "a patient"
    assert not list(tmp_path.glob(".*.lock"))


def test_what_a_wheel_put_beside_the_usual_folders_goes_as_well(ready):
    (ready.folder / "jupyter").mkdir()
    write_marker(ready.folder, replace(ready.marker, made=("jupyter", "../outside")))
    remove(ready)
    assert not ready.folder.exists()


def test_a_removal_that_was_stopped_goes_on(ready):
    steps = []

    def soon():
        steps.append(1)
        return len(steps) > 50

    with pytest.raises(Cancelled):
        remove(ready, Progress(cancelled=soon))
    assert ready.state == "incomplete"
    assert remove(ready) > 0
    assert not ready.folder.exists()


def test_a_plan_says_what_how_large_where_and_why(tmp_path, wheels):
    environment = IsolatedEnvironment(tmp_path / "env")
    words = plan_environment(environment, interpreter=base_python()).words
    assert str(environment.folder) in words[0] and "3D Slicer" in words[0]
    assert "Python 3." in words[1] and str(base_python().parent) in words[1]
    assert "no NVIDIA GPU was found" in words[2]
    assert " MB are downloaded" in words[3] and "GB are free" in words[3]
    offline = plan_for(environment, wheels)
    assert str(wheels) in offline.words[2] and offline.download_bytes == 0
    assert not environment.folder.exists()


def test_a_python_that_does_not_do_is_named(tmp_path):
    with pytest.raises(InputError, match=r"/no/such/python cannot carry.*does not start"):
        plan_environment(IsolatedEnvironment(tmp_path), interpreter=Path("/no/such/python"))


def test_a_marker_alone_is_removed(tmp_path):
    folder = tmp_path / "env"
    folder.mkdir()
    write_marker(folder, Marker())
    assert remove(IsolatedEnvironment(folder)) > 0
    assert not folder.exists()
