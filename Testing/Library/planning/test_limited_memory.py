"""Runs with little memory, for real: the address space of the process is limited."""

import json
import os
import subprocess
import sys

import pytest

from Testing.Project.source import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space")


def run(method, model, size, blind):
    words = [method, model, str(size), str(int(blind))]
    command = [sys.executable, "-m", "Testing.Library.planning.limited", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DIFFUSIONSEG_RATES": ""}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def first_that_ends(method, model, size):
    """How much of the address space is in pieces differs from run to run, so that now and then even
    the smaller way does not fit; such a run says so, and another one may."""
    for _ in range(4):
        try:
            return run(method, model, size, blind=True)
        except AssertionError as error:
            assert "OutOfMemoryError: There is not enough memory" in str(error)
    raise AssertionError(f"{method} never ended within {size} bytes")


@pytest.mark.parametrize(
    ("method", "model", "size", "least_dice", "said"),
    [
        ("cdal", "hippocampus", 200_000_000, 0.6, "in smaller windows"),
        ("adzus", "compact", 140_000_000, 0.7, "from pictures of 384 pixels a side at most"),
    ],
)
def test_a_run_that_runs_out_of_memory_goes_on_with_less(method, model, size, least_dice, said):
    plenty = run(method, model, 4_000_000_000, blind=True)
    assert plenty["adjusted"] is None and not plenty["stages"]
    scarce = first_that_ends(method, model, size)
    assert said in scarce["adjusted"]
    assert any(said in stage and stage.startswith("Out of memory") for stage in scarce["stages"])
    assert f"For lack of memory it was outlined {said}." in scarce["reason"].replace(
        "in half precision and ", ""
    )
    assert min(plenty["dice"], scarce["dice"]) > least_dice


def test_a_plan_sees_it_coming():
    scarce = run("cdal", "hippocampus", 220_000_000, blind=False)
    assert "in smaller windows, because only 0.2 GB are free" in scarce["words"]
    assert scarce["adjusted"] and scarce["dice"] > 0.6
    assert not any(stage.startswith("Out of memory") for stage in scarce["stages"])
    assert any(stage.startswith("Memory is short: outlining ") for stage in scarce["stages"])
