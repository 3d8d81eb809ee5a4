import sys

import pytest

from DiffusionSegLib.doctor.environment import section
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.progress import Progress


def test_none_is_no_problem(tmp_path, monkeypatch, examined):
    monkeypatch.setenv("DIFFUSIONSEG_ENVIRONMENT", str(tmp_path / "none"))
    found = section(examined, Progress.silent())
    assert found.lines == ("absent; it is made from within 3D Slicer.",)
    assert found.problems == ()
    assert found.facts["state"] == "absent"


@pytest.mark.parametrize(
    ("state", "problems"),
    [
        ("ready", []),
        (
            "incomplete",
            ["The worker's own environment was not finished; finish or remove it in the settings "
             "of the DiffusionSeg module."],
        ),
        (
            "outdated",
            ["The worker's own environment is of an older version; repair it in the settings of "
             "the DiffusionSeg module."],
        ),
    ],
)  # fmt: skip
def test_state_and_what_to_do(tmp_path, monkeypatch, examined, state, problems):
    monkeypatch.setenv("DIFFUSIONSEG_ENVIRONMENT", str(tmp_path))
    monkeypatch.setattr(IsolatedEnvironment, "state", property(lambda self: state))
    monkeypatch.setattr(IsolatedEnvironment, "size_bytes", lambda self: 800_000_000)
    found = section(examined, Progress.silent())
    assert found.lines == (f"{state}, 800.0 MB, not used here",)
    assert [one.sentence for one in found.problems] == problems


def test_the_environment_that_runs_the_worker_is_told_as_used(tmp_path, monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_ENVIRONMENT", str(tmp_path))
    monkeypatch.setattr(IsolatedEnvironment, "state", property(lambda self: "ready"))
    command = IsolatedEnvironment(tmp_path).command()
    found = section(Examined(command, True, {}), Progress.silent())
    assert found.lines[0].endswith(", used here")
    assert found.facts["used"] is True
    assert Examined(command, True, {}).python == command[:-3]
    assert Examined((sys.executable, "-m", "other"), True, {}).python is None
